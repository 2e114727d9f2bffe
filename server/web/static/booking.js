// Counts down how long a place is held, says so in time, and finds stations near whoever asks for it.
// Without this script everything can be done as well: the page says until when the place is held.
"use strict";

const SECOND = 1000;
const TIMEOUT = 15 * SECOND; // For a position; after it the search by words is there.
const ROUND = 100; // Hundredths of a degree: about a kilometre.

function left(seconds, sentence) {
  const minutes = Math.floor(seconds / 60);
  return sentence.replace("{m}", minutes).replace("{s}", String(seconds % 60).padStart(2, "0"));
}

function told(place, sentence, wrong) {
  const line = document.createElement("p");
  line.textContent = sentence;
  if (wrong) line.setAttribute("role", "alert");
  place.replaceChildren(line);
}

function countDown(hold) {
  // The page's own figure and the time since it came: clocks of phones go wrong.
  const ends = performance.now() + Number(hold.dataset.seconds) * SECOND;
  const clock = hold.querySelector("[data-left]");
  const said = hold.querySelector("[data-said]");
  const warn = Number(hold.dataset.warn);
  let stage = "";
  function tick() {
    const seconds = Math.max(0, Math.round((ends - performance.now()) / SECOND));
    clock.textContent = left(seconds, hold.dataset.sentence);
    const now = seconds === 0 ? "over" : seconds <= warn ? "soon" : "";
    if (now !== stage) {
      stage = now;
      hold.classList.toggle("warn", now !== "");
      if (now) told(said, hold.dataset[now], true);
    }
    if (seconds > 0) setTimeout(tick, SECOND);
  }
  tick();
}

function near(form) {
  const button = form.querySelector("[data-near]");
  const line = form.querySelector("[data-near-told]");
  if (!button || !navigator.geolocation) return;
  button.hidden = false;
  form.querySelector("[data-near-hint]").hidden = false;
  function put(name, degrees) {
    const field = form.elements[name] || form.appendChild(document.createElement("input"));
    field.type = "hidden";
    field.name = name;
    field.value = Math.round(degrees * ROUND) / ROUND;
  }
  button.addEventListener("click", () => {
    line.textContent = line.dataset.asking;
    navigator.geolocation.getCurrentPosition(
      (found) => {
        put("lat", found.coords.latitude);
        put("lon", found.coords.longitude);
        form.submit();
      },
      () => {
        line.textContent = line.dataset.failed;
        form.elements.q.focus();
      },
      { timeout: TIMEOUT, maximumAge: 10 * 60 * SECOND },
    );
  });
}

document.querySelectorAll("[data-seconds]").forEach(countDown);
document.querySelectorAll("form[role=search]").forEach(near);
