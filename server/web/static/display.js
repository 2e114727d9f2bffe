// Keeps the screen fresh, chimes and says each new call; says so where the server is lost.
"use strict";

const board = document.getElementById("board");
const { board: address, every, tag: firstTag, now: firstNow } = document.body.dataset;
const pause = 1000 * Number(every);
const LOST_AFTER = 10000; // [D] ms without news: one late answer is no lost server
const plain = { createHTML: (text) => text };
// Only boards of this server are parsed here, and it writes every text as text.
const policy = window.trustedTypes?.createPolicy("board", plain) ?? plain;
const here = new Intl.DateTimeFormat("vi", {
  hour: "2-digit", minute: "2-digit", timeZone: "Asia/Ho_Chi_Minh",
});
const exact = new Intl.DateTimeFormat("vi", {
  hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: "Asia/Ho_Chi_Minh",
});

let tag = `"${firstTag}"`;
let servers = Date.parse(firstNow); // the server's clock at the last news: a television's may be wrong
let heard = performance.now();

const names = () => new Map([...board.querySelectorAll("[data-call]")].map((n) => [n.dataset.call, n]));
let known = new Set(names().keys());

// Sound: a chime of two notes, then the number; one call after the other.
let audio;
const calls = [];
let busy = false;
const sound = document.getElementById("sound");

const awake = () => {
  audio ??= window.AudioContext ? new AudioContext() : undefined;
  sound.hidden = !audio || audio.state === "running";
  return Boolean(audio) && audio.state === "running";
};

const ended = (source) => new Promise((resolve) => source.addEventListener("ended", resolve));

const chime = async () => {
  let last;
  [784, 622].forEach((pitch, nth) => {
    const at = audio.currentTime + nth * 0.35;
    const note = new OscillatorNode(audio, { frequency: pitch });
    const loud = new GainNode(audio, { gain: 0 });
    loud.gain.setValueAtTime(0.0001, at);
    loud.gain.exponentialRampToValueAtTime(0.35, at + 0.02);
    loud.gain.exponentialRampToValueAtTime(0.0001, at + 0.6);
    note.connect(loud).connect(audio.destination);
    note.start(at);
    note.stop(at + 0.6);
    last = note;
  });
  await ended(last);
};

const speak = async (where) => {
  const answer = await fetch(where);
  if (!answer.ok) return; // no voice was made here: the chime and the screen have to do
  const clip = await audio.decodeAudioData(await answer.arrayBuffer());
  const source = new AudioBufferSourceNode(audio, { buffer: clip });
  source.connect(audio.destination);
  source.start();
  await ended(source);
};

const sayAll = async () => {
  if (busy) return;
  busy = true;
  while (calls.length) {
    const { say, told } = calls.shift();
    document.getElementById("told").textContent = told;
    if (awake()) {
      try {
        await chime();
        await speak(say);
      } catch { /* a sound that fails keeps no number from the screen */ }
    }
  }
  busy = false;
};

sound.addEventListener("click", async () => {
  await audio.resume();
  awake();
});

const show = (text) => {
  const page = new DOMParser().parseFromString(policy.createHTML(text), "text/html");
  board.replaceChildren(...document.adoptNode(page.body).childNodes);
  const shown = names();
  // The oldest new call first; each is said once.
  for (const [name, node] of [...shown].reverse()) {
    if (known.has(name)) continue;
    node.classList.add("fresh");
    calls.push({ say: node.dataset.say, told: node.dataset.told });
  }
  known = new Set(shown.keys());
  sayAll();
};

const time = () => servers + performance.now() - heard;

const look = () => {
  const lost = performance.now() - heard > LOST_AFTER;
  document.body.classList.toggle("lost", lost);
  document.getElementById("lost").hidden = !lost;
  document.getElementById("news").textContent = lost ? exact.format(servers) : "";
  document.getElementById("clock").textContent = here.format(time());
};

const ask = async () => {
  try {
    const answer = await fetch(address, {
      headers: { "If-None-Match": tag },
      cache: "no-store",
      signal: AbortSignal.timeout(8000),
    });
    if (answer.status === 200) {
      const text = await answer.text();
      tag = answer.headers.get("ETag");
      show(text);
    }
    if (answer.ok || answer.status === 304) {
      servers = Date.parse(answer.headers.get("X-Now"));
      heard = performance.now();
    }
  } catch { /* lost: `look` says so after a while */ }
  look();
  setTimeout(ask, pause);
};

awake();
setInterval(look, 1000);
setTimeout(ask, pause);
navigator.wakeLock?.request("screen").catch(() => {});
