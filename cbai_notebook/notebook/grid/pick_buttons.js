// The buttons under the answers of a saved grid: shown and heard as long as the kernel lives.

const FRAMES = 120;

function initialize({ model }) {
  const uid = model.get("uid");
  const buttons = `button[data-cbai-grid="${uid}"]`;
  // The file has the buttons hidden, because without a kernel nobody would hear them.
  const style = document.createElement("style");
  style.textContent = `${buttons} { display: inline-block !important }`;
  document.head.append(style);

  function onClick(event) {
    const button = event.target.closest?.(buttons);
    if (button) model.send({ type: "pick", number: Number(button.dataset.cbaiNumber) });
  }

  // The grid is painted anew after a pick, so the keyboard would be lost without this.
  function focusChosen(number, frames = FRAMES) {
    const chosen = document.querySelector(`[data-cbai-chosen="${uid}-${number}"]`);
    if (chosen) chosen.focus();
    else if (frames) requestAnimationFrame(() => focusChosen(number, frames - 1));
  }

  function end() {
    style.remove();
    document.removeEventListener("click", onClick);
  }

  document.addEventListener("click", onClick);
  model.on("msg:custom", (message) => message.type === "picked" && focusChosen(message.number));
  model.on("comm_live_update", end);
  return end;
}

export default { initialize };
