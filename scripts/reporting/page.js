// What a text on the map says: beside the mouse, or where a finger taps. Without scripts the browser
// shows its title.
const map = document.querySelector(".map");
const tip = document.querySelector(".tip");
if (map) {
  const says = new Map();
  for (const title of map.querySelectorAll("circle title")) {
    says.set(title.parentNode, title.textContent);
    title.remove();
  }
  let shown = null;
  const show = (event) => {
    shown?.classList.remove("shown");
    shown = says.has(event.target) ? event.target : null;
    tip.hidden = !shown;
    if (!shown) return;
    shown.classList.add("shown");
    tip.textContent = says.get(shown);
    const right = document.documentElement.clientWidth - tip.offsetWidth - 8;
    tip.style.left = `${Math.max(8, Math.min(event.clientX + 12, right))}px`;
    const below = event.clientY + 16;
    const fits = below + tip.offsetHeight < window.innerHeight;
    tip.style.top = `${fits ? below : Math.max(8, event.clientY - tip.offsetHeight - 16)}px`;
  };
  map.addEventListener("pointerover", show);
  map.addEventListener("pointerdown", show);
  map.addEventListener("pointerleave", show);
  window.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
}
