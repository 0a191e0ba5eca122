const prompt = require("./prompt.js");

App({
  onLaunch() {
    if (!wx.cloud || !wx.cloud.extend || !wx.cloud.extend.AI) {
      wx.showModal({
        title: "微信版本过低",
        content: `请升级微信，基础库需要 ${prompt.baseLibrary} 或以上版本。`,
        showCancel: false,
      });
      return;
    }
    wx.cloud.init({ env: prompt.env });
  },
});
