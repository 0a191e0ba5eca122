// Words for people, in the browser's language, and the few helpers that every part of the panel uses.

const WORDS = {
  en: {
    panel: "Chat",
    transcript: "Conversation",
    message: "Message",
    placeholder: "Ask anything",
    hint: "Enter to send, Shift+Enter for a new line",
    hintLoading: "Esc to stop",
    send: "Send",
    stop: "Stop",
    latest: "Jump to latest",
    editing: "Editing a message. The answer it had is kept.",
    cancel: "Cancel",
    pending: "Waiting for the kernel; a cell may be running. Your message is sent as soon as it is free.",
    started: "The answer has begun.",
    complete: "The answer is complete.",
    cancelled: "The answer was stopped.",
    failed: "The request failed.",
    partial: "The answer broke off.",
    copied: "Copied",
    notCopied: "The browser does not allow copying here.",
    copyCode: "Copy",
    insertCode: "Insert",
    copyCodeLong: "Copy code",
    insertCodeLong: "Insert code into a new cell",
    inserted: "Inserted in a new cell below.",
    insertedCopied: "There is no notebook to insert into here, so the code was copied.",
    code: "Code",
    conversation: "Conversation",
    newConversation: "New conversation",
    model: "Model",
    settings: "Settings",
    system: "System prompt",
    systemHint: "For example: Be brief.",
    temperature: "Temperature",
    temperatureHint: "default",
    modelHint: "Any PROVIDER/MODEL works; the list only suggests.",
    export: "Export",
    forms: {},
    totals: "This conversation so far",
    calls: {},
    suggestions: "Suggested questions",
    thanks: "Thank you for the feedback.",
    picture: (number) => `Picture ${number}`,
    removePicture: (number) => `Remove picture ${number}`,
    pictureFrom: (host) => `Image from ${host}`,
    unreadPicture: "This picture could not be read. Save it anew and try again.",
    notPicture: "Only PNG, JPEG, GIF and WebP pictures can go along.",
    tooManyPictures: "At most 8 pictures of up to 20 MB can go along.",
    tokens: (count) => `${count} tokens`,
    seconds: (count) => `${count} s`,
  },
  zh: {
    panel: "聊天",
    transcript: "对话",
    message: "消息",
    placeholder: "想问什么都可以",
    hint: "Enter 发送，Shift+Enter 换行",
    hintLoading: "Esc 停止",
    send: "发送",
    stop: "停止",
    latest: "回到最新",
    editing: "正在修改之前的消息，原来的回答会保留。",
    cancel: "取消",
    pending: "正在等待内核；可能有单元格正在运行。空闲后会立即发送。",
    started: "开始回答。",
    complete: "回答完成。",
    cancelled: "回答已停止。",
    failed: "请求失败。",
    partial: "回答中断了。",
    copied: "已复制",
    notCopied: "浏览器不允许在这里复制。",
    copyCode: "复制",
    insertCode: "插入",
    copyCodeLong: "复制代码",
    insertCodeLong: "将代码插入新单元格",
    inserted: "已插入到下方的新单元格。",
    insertedCopied: "这里没有可插入的笔记本，代码已复制。",
    code: "代码",
    conversation: "对话",
    newConversation: "新对话",
    model: "模型",
    settings: "设置",
    system: "系统提示词",
    systemHint: "例如：回答要简短。",
    temperature: "温度",
    temperatureHint: "默认",
    modelHint: "可填写任意 服务商/模型，列表仅为建议。",
    export: "导出",
    // A form that is not here keeps the label that it comes with.
    forms: {
      messages: "消息（可再导入）",
      jsonl: "JSON Lines（用于微调）",
      notebook: "笔记本",
      curl: "curl 脚本",
      python: "Python 脚本",
      "mini-program": "微信小程序",
      web: "网页",
    },
    totals: "本次对话累计",
    calls: {
      Arguments: "参数",
      Result: "结果",
      failed: "失败",
      refused: "已拒绝",
      "no such tool": "没有这个工具",
      "arguments do not fit": "参数不符",
      stopped: "已停止",
      "waiting for your answer": "等待您的回答",
    },
    suggestions: "推荐问题",
    thanks: "感谢反馈。",
    picture: (number) => `图片 ${number}`,
    removePicture: (number) => `移除图片 ${number}`,
    pictureFrom: (host) => `来自 ${host} 的图片`,
    unreadPicture: "无法读取这张图片，请重新保存后再试。",
    notPicture: "只能附上 PNG、JPEG、GIF 和 WebP 图片。",
    tooManyPictures: "最多附上 8 张图片，每张不超过 20 MB。",
    tokens: (count) => `${count} 词元`,
    seconds: (count) => `${count} 秒`,
    thinking: "思考中 …",
    reasoning: "思考过程",
    thought: (count) => `思考了 ${count} 秒`,
  },
};

const LANGUAGE = /^zh\b/i.test(navigator.language || "") ? "zh" : "en";

const say = (key) => WORDS[LANGUAGE][key];

// Text only ever becomes a text node, so nothing that a model wrote can become markup.
function make(tag, { on = {}, data = {}, ...properties } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role" || name === "for" || name === "list") {
      element.setAttribute(name, value);
    } else {
      element[name] = value;
    }
  }
  Object.assign(element.dataset, data);
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  element.append(...children);
  return element;
}

function iconButton(icon, label, onClick, properties = {}) {
  return make(
    "button",
    { type: "button", className: `cbai-icon-button cbai-icon-${icon}`, on: { click: onClick }, ...properties },
    make("span", { className: "cbai-tip" }, label),
  );
}

// Notebook 7 listens on the document while an event comes down. It looks for shortcuts from the focused
// element upwards, and only as far as this attribute, so whatever gets the focus must bear it itself.
// Others listen while the event goes up, so it goes no further than here.
function keepKeysIn(element) {
  const suppress = (node) => node.setAttribute("data-lm-suppress-shortcuts", "true");
  suppress(element);
  element.addEventListener("focusin", (event) => suppress(event.target));
  for (const kind of ["keydown", "keyup", "keypress", "paste", "copy", "cut"]) {
    element.addEventListener(kind, (event) => event.stopPropagation());
  }
}

function download(name, type, data) {
  const address = URL.createObjectURL(new Blob([data], { type }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
