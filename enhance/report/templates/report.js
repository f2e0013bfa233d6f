// The range input is for the keyboard and for screen readers; pointers move it by where they are,
// as phones drag a range input by its thumb only.
for (const figure of document.querySelectorAll(".compare")) {
  const range = figure.querySelector("input");
  const show = () => figure.style.setProperty("--at", range.value + "%");
  const follow = (event) => {
    const box = figure.getBoundingClientRect();
    range.value = Math.round((100 * (event.clientX - box.left)) / box.width);
    show();
  };
  range.addEventListener("input", show);
  figure.addEventListener("pointerdown", (event) => {
    figure.setPointerCapture(event.pointerId);
    follow(event);
    range.focus({ preventScroll: true });
    event.preventDefault();
  });
  figure.addEventListener("pointermove", (event) => {
    if (figure.hasPointerCapture(event.pointerId)) follow(event);
  });
  show();
}
