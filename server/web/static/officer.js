// Pictures open large on a click, and a form is sent once however often its button is pressed.
// Everything else on these pages works without a script.
"use strict";

const dialog = document.createElement("dialog");
dialog.className = "enlarged";
const large = document.createElement("img");
const form = document.createElement("form");
form.method = "dialog";
const close = document.createElement("button");
close.textContent = document.documentElement.lang === "en" ? "Close" : "Đóng";
form.append(close);
dialog.append(large, form);
document.body.append(dialog);

for (const button of document.querySelectorAll("[data-enlarge]")) {
  button.addEventListener("click", () => {
    const small = button.querySelector("img");
    large.src = small.src;
    large.alt = small.alt;
    dialog.setAttribute("aria-label", small.alt);
    dialog.showModal();
  });
}
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
dialog.addEventListener("close", () => large.removeAttribute("src"));

document.addEventListener("submit", (event) => {
  const sent = event.target;
  if (!sent.matches("form[method=post]:not([data-again])")) return;
  if (sent.dataset.sent) event.preventDefault();
  sent.dataset.sent = "yes";
});
// A page brought back from the history may send again.
addEventListener("pageshow", () => {
  for (const sent of document.querySelectorAll("form[data-sent]")) delete sent.dataset.sent;
});
