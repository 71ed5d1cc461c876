"use strict";
// All sounds start at the same moment, each through its own gain, and one gain is open. Switching between them is
// therefore free of gaps and keeps the position to the sample. Without Web Audio the browser's own players stay.
(() => {
  const sounds = [...document.querySelectorAll("audio[data-sound]")];
  const root = document.documentElement;
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  if (!sounds.length || !window.AudioContext) return;
  root.classList.add("ready");

  let context = null, buffers = [], loading = null, playing = null;
  let position = 0, current = 0, candidate = Math.min(1, sounds.length - 1), request = 0;
  const options = { loop: false, turns: false, level: false };
  const fade = 0.008;

  const duration = () => (buffers.length ? Math.max(...buffers.map((b) => b.duration)) : 0);

  function bytes(uri) {
    const text = atob(uri.slice(uri.indexOf(",") + 1));
    return Uint8Array.from(text, (letter) => letter.charCodeAt(0)).buffer;
  }

  function load() {
    context = new AudioContext();
    return Promise.all(sounds.map((sound) => context.decodeAudioData(bytes(sound.getAttribute("src"))))).then(
      (decoded) => { buffers = decoded; });
  }

  function gain(index) {
    if (index !== current) return 0;
    return options.level ? 10 ** (Number(sounds[index].dataset.gain) / 20) : 1;
  }

  function now() {
    return playing ? Math.min(context.currentTime - playing.start, duration()) : position;
  }

  function silence() {
    if (!playing) return;
    position = Math.max(now(), 0);
    const stopped = playing;
    playing = null;
    stopped.voices.forEach(({ source, volume }) => {
      volume.gain.setTargetAtTime(0, context.currentTime, fade / 2);
      source.stop(context.currentTime + 5 * fade);
    });
  }

  async function play(from = position) {
    const asked = ++request;
    try {
      await (loading ??= load());
      await context.resume();
    } catch (error) {
      console.error(error);
      root.classList.remove("ready");
      return;
    }
    if (asked !== request) return;
    silence();
    position = from >= duration() - 0.01 ? 0 : Math.max(from, 0);
    const begin = context.currentTime + 0.01;
    const run = { start: begin - position, voices: [] };
    buffers.forEach((buffer, index) => {
      const source = new AudioBufferSourceNode(context, { buffer });
      const volume = new GainNode(context, { gain: 0 });
      volume.gain.setTargetAtTime(gain(index), begin, fade / 4);
      source.connect(volume).connect(context.destination);
      source.start(begin, Math.min(position, buffer.duration));
      run.voices.push({ source, volume });
    });
    const longest = buffers.reduce((best, b, i) => (b.duration > buffers[best].duration ? i : best), 0);
    run.voices[longest].source.onended = () => {
      if (playing !== run) return;
      playing = null;
      position = 0;
      if (options.turns) choose(current ? 0 : candidate);
      if (options.turns || options.loop) play(0);
      else show();
    };
    playing = run;
    show();
    requestAnimationFrame(follow);
  }

  function stop() {
    request += 1;
    silence();
    show();
  }

  function mix() {
    if (playing) playing.voices.forEach(({ volume }, i) => volume.gain.setTargetAtTime(gain(i), context.currentTime, fade));
  }

  function choose(index) {
    current = index;
    if (index) candidate = index;
    mix();
    show();
  }

  function seek(seconds) {
    if (playing) play(seconds);
    else { position = seconds; show(); }
  }

  function follow() {
    if (!playing) return;
    place();
    requestAnimationFrame(follow);
  }

  // Every picture spans the longest sound, whose length is known from the start without decoding anything.
  const span = Number(one("[data-span]").dataset.span);

  function place() {
    const share = Math.min(Math.max(now() / span, 0), 1);
    root.style.setProperty("--at", share);
    root.classList.toggle("untouched", !playing && !share);
    one("[data-seek]").value = 1000 * share;
    one("[data-time]").textContent = `${Math.max(now(), 0).toFixed(2)} s`;
  }

  function show() {
    root.dataset.state = playing ? "playing" : "stopped";
    one("[data-play] span").textContent = playing ? "Stop" : "Play";
    all("[data-choose]").forEach((button, i) => button.setAttribute("aria-pressed", String(i === current)));
    all("[data-lane]").forEach((lane, i) => lane.classList.toggle("current", i === current));
    place();
  }

  one("[data-play]").addEventListener("click", () => (playing ? stop() : play()));
  one("[data-seek]").addEventListener("input", (event) => seek((event.target.value / 1000) * span));
  all("[data-choose]").forEach((button, i) => button.addEventListener("click", () => choose(i)));
  all("[data-start]").forEach((button, i) => button.addEventListener("click", () => {
    if (playing && current === i) return stop();
    choose(i);
    play(0);
  }));
  all("[data-option]").forEach((box) => box.addEventListener("change", () => {
    options[box.dataset.option] = box.checked;
    mix();
  }));
  all("[data-seekable]").forEach((picture) => picture.addEventListener("click", (event) => {
    const room = picture.getBoundingClientRect();
    choose(Number(picture.closest("[data-lane]").dataset.lane));
    play(((event.clientX - room.left) / room.width) * span);
  }));

  const toggle = (name) => one(`[data-option=${name}]`).click();
  const keys = {
    " ": () => (playing ? stop() : play()),
    t: () => choose(0),
    x: () => choose(current ? 0 : candidate),
    l: () => toggle("loop"),
    m: () => toggle("level"),
    r: () => toggle("turns"),
    ArrowLeft: () => seek(Math.max(now() - span / 20, 0)),
    ArrowRight: () => seek(Math.min(now() + span / 20, span)),
  };

  const control = (event) => event.target.closest("button, summary, a, input, label, .scroll");
  let clicked = null;
  document.addEventListener("pointerdown", (event) => { clicked = control(event); });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Tab") clicked = null;
    const inUse = control(event);
    // A control that was reached by keyboard keeps its own keys; one that was only clicked gives them back.
    if (inUse && !clicked && [" ", "ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const number = Number(key);
    const act = key in keys ? keys[key] : key.trim() && sounds[number] && number > 0 ? () => choose(number) : null;
    if (!act) return;
    event.preventDefault();
    if (inUse) inUse.blur();
    act();
  });

  show();
})();
