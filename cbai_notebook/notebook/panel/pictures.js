// Pictures that go along with a message: pasted, dropped, shown small, taken out again.

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
          make("img", { className: "cbai-thumbnail", src: url, alt: say("picture")(place + 1) }),
          make(
            "button",
            { type: "button", className: "cbai-quiet", "aria-label": say("removePicture")(place + 1), on: { click: () => remove(place) } },
            "×",
          ),
        ),
      ),
    );
    row.hidden = !held.length;
    changed();
  }

  function remove(place) {
    held.splice(place, 1);
    show();
    area.focus();
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
      if (!PICTURES.test(file.type)) announce(say("notPicture"), true);
      else if (file.size > LARGEST_PICTURE || held.length >= MOST_PICTURES) announce(say("tooManyPictures"), true);
      else held.push(await read(file));
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
    all: () => [...held],
    put(urls) {
      held = [...urls];
      show();
    },
  };
}
