// Pictures that go along with a message: chosen, pasted, dropped, shown small, taken out again.

const PICTURES = /^image\/(png|jpeg|gif|webp)$/;
const MOST_PICTURES = 8;
const LARGEST_PICTURE = 20 * 1024 * 1024;

function pictures({ area, box, announce, changed }) {
  let held = [];
  const row = make("div", { className: "cbai-images", hidden: true });

  function show() {
    row.replaceChildren(
      ...held.map((url, place) =>
        make(
          "span",
          { className: "cbai-picture" },
          shown(url, place),
          make(
            "button",
            {
              type: "button",
              className: "cbai-quiet",
              texts: { "aria-label": ["remove_picture", { n: place + 1 }] },
              on: { click: () => remove(place) },
            },
            "×",
          ),
        ),
      ),
    );
    row.hidden = !held.length;
    changed();
  }

  // What lies elsewhere is not loaded: its host would learn of it.
  const shown = (url, place) =>
    url.startsWith("data:")
      ? make("img", { className: "cbai-thumbnail", src: url, texts: { alt: ["picture", { n: place + 1 }] } })
      : make("span", { title: url, texts: { textContent: ["picture_from", { host: hostOf(url) }] } });

  function remove(place) {
    held.splice(place, 1);
    show();
    area.focus();
  }

  function hostOf(url) {
    try {
      return new URL(url).hostname;
    } catch {
      return url;
    }
  }

  const read = (file) =>
    new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => reject(reader.error);
      reader.readAsDataURL(file);
    });

  async function take(files) {
    for (const file of files) {
      if (!PICTURES.test(file.type)) announce(say("not_picture"), true);
      else if (file.size > LARGEST_PICTURE || held.length >= MOST_PICTURES) announce(say("too_many_pictures"), true);
      else {
        try {
          held.push(await read(file));
        } catch {
          announce(say("unread_picture"), true);
        }
      }
    }
    show();
  }

  const filesOf = (transfer) => [...(transfer?.files ?? [])];

  area.addEventListener("paste", (event) => {
    const files = filesOf(event.clipboardData);
    if (!files.length) return;
    event.preventDefault();
    take(files);
  });
  box.addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
  box.addEventListener("drop", (event) => {
    const files = filesOf(event.dataTransfer);
    if (!files.length) return;
    event.preventDefault();
    event.stopPropagation();
    take(files);
  });

  return {
    row,
    take,
    all: () => [...held],
    put(urls) {
      held = [...urls];
      show();
    },
  };
}
