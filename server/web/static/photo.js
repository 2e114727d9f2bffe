// Shows the chosen photo, says at once when it is too large, and how far the sending is.
// Without this script the form is sent and answered as any other.
"use strict";

let sent = null; // What the page at hand is the answer to: in the other language it is asked again.
let pending = null; // What was not looked at for want of a place: it need not be chosen again.

function told(form) {
  return form.querySelector(".photo-told");
}

function say(form, sentence, wrong) {
  const line = document.createElement("p");
  line.textContent = sentence;
  line.className = wrong ? "wrong" : "hint";
  if (wrong) line.setAttribute("role", "alert");
  told(form).replaceChildren(line);
  return line;
}

function chosen(form) {
  for (const input of form.querySelectorAll("input[type=file]")) {
    if (input.files.length) return input.files[0];
  }
  return pending;
}

function show(form, file) {
  const line = say(form, form.dataset.chosen, false);
  const picture = document.createElement("img");
  picture.alt = "";
  picture.addEventListener("load", () => URL.revokeObjectURL(picture.src));
  picture.addEventListener("error", () => picture.remove());
  picture.src = URL.createObjectURL(file);
  line.after(picture);
}

function fits(form, file) {
  if (!file) {
    say(form, form.dataset.empty, true);
    return false;
  }
  if (file.size > Number(form.dataset.most)) {
    say(form, form.dataset.tooLarge, true);
    return false;
  }
  return true;
}

function answered(request, file) {
  const page = request.response;
  if (!page || !page.getElementById("main")) return false;
  document.body.replaceWith(document.adoptNode(page.body));
  document.title = page.title;
  document.documentElement.lang = page.documentElement.lang;
  sent = file;
  pending = request.status === 503 ? file : null;
  attach();
  if (pending) show(document.querySelector("form.photo-form"), pending);
  scrollTo(0, 0);
  const heading = document.querySelector("#main h1");
  heading.tabIndex = -1;
  heading.focus();
  return true;
}

function send(form, file, address) {
  const button = form.querySelector("button");
  const data = new FormData();
  data.append("csrf", form.elements.csrf.value);
  data.append("photo", file, "photo");
  const request = new XMLHttpRequest();
  const line = say(form, form.dataset.sending, false);
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", form.dataset.sending);
  line.after(bar);
  button.disabled = true;
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) bar.value = event.loaded / event.total;
  });
  request.upload.addEventListener("load", () => {
    line.textContent = form.dataset.looking;
    bar.removeAttribute("value");
  });
  request.addEventListener("loadend", () => {
    button.disabled = false;
    if (!answered(request, file)) say(form, form.dataset.failed, true);
  });
  request.open("POST", address);
  request.responseType = "document";
  request.timeout = 120000;
  request.send(data);
}

function attach() {
  const form = document.querySelector("form.photo-form");
  const inputs = [...form.querySelectorAll("input[type=file]")];
  for (const input of inputs) {
    input.addEventListener("change", () => {
      for (const other of inputs) if (other !== input) other.value = "";
      const file = chosen(form);
      if (file && fits(form, file)) show(form, file);
      else if (!file) told(form).replaceChildren();
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const file = chosen(form);
    if (fits(form, file)) send(form, file, form.action);
  });
  document.querySelector("a.switch").addEventListener("click", (event) => {
    if (!sent) return;
    event.preventDefault();
    send(form, sent, event.currentTarget.href);
  });
}

// Older browsers send the form as it is.
if ("replaceChildren" in Element.prototype) attach();
