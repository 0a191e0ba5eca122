const prompt = require("./prompt.js");

App({
  onLaunch() {
    if (!wx.cloud || !wx.cloud.extend || !wx.cloud.extend.AI) {
      wx.showModal({
        title: prompt.labels.tooOld,
        content: prompt.labels.update,
        showCancel: false,
      });
      return;
    }
    wx.cloud.init({ env: prompt.env });
  },
});
