// The page: which broadcast, what it shows about it, and the node's tree.

import { fetchBroadcasts, fetchTree } from './broadcasts.js';
import { Playback } from './playback.js';

const $ = (id) => document.getElementById(id);
const video = $('video');
const pollEvery = 2000; // milliseconds
let broadcasts = [];

const notices = {
  connecting: () => 'Connecting',
  playing: () => '',
  retrying: (reason) => `Connecting again: ${reason}`,
  blocked: () => 'Press Play to start',
  idle: () => 'Waiting for a broadcast. Publish one, and it starts here.',
};

const playback = new Playback(video, (state, reason) => show(state, reason));

function show(state, reason) {
  $('stage').dataset.state = state;
  $('notice').textContent = notices[state](reason);
}

function wanted() {
  const named = new URLSearchParams(location.search).get('key');
  if (named) return named;
  if (playback.key && broadcasts.some((b) => b.key === playback.key)) return playback.key;
  const first = broadcasts.find((b) => b.state === 'live') ?? broadcasts[0];
  return first?.key ?? playback.key;
}

function follow() {
  const key = wanted();
  if (!key) {
    show('idle');
  } else if (key !== playback.key) {
    playback.play(key);
  }
  list();
}

function item(b) {
  const link = document.createElement('a');
  link.href = `?key=${encodeURIComponent(b.key).replaceAll('%2F', '/')}`;
  link.addEventListener('click', (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, '', link.href);
    follow();
  });
  if (b.key === playback.key) link.setAttribute('aria-current', 'true');
  link.append(
    span('key', b.key), ' ', span(`state ${b.state}`, b.state),
    span('about', [b.video, count(b.viewers, 'viewer')].filter(Boolean).join(' · ')));
  const li = document.createElement('li');
  li.append(link);
  return li;
}

function span(kind, text) {
  const el = document.createElement('span');
  el.className = kind;
  el.textContent = text;
  return el;
}

function count(n, noun) {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

// list redraws only what differs, so that the focus of the keyboard stays where it is.
function list() {
  const items = broadcasts.map(item);
  const old = [...$('broadcasts').children];
  items.forEach((li, i) => {
    if (!old[i]) $('broadcasts').append(li);
    else if (old[i].outerHTML !== li.outerHTML) old[i].replaceWith(li);
  });
  old.slice(items.length).forEach((li) => li.remove());
  facts();
}

function facts() {
  const b = broadcasts.find((one) => one.key === playback.key);
  const { media } = playback;
  const behind = playback.behind();
  const quality = video.getVideoPlaybackQuality();
  const size = video.videoWidth ? `${video.videoWidth} × ${video.videoHeight}` : '';
  const fps = media.fps ? `${Math.round(media.fps * 100) / 100}/s` : '';
  const put = (id, text) => { $(id).textContent = text || '–'; };
  put('title', playback.key ?? 'No broadcast');
  put('state', b?.state ?? (playback.key ? 'waiting' : ''));
  $('state').className = `state ${b?.state ?? 'waiting'}`;
  put('delay', behind === null ? '' : `${behind.toFixed(2)} s`);
  put('join', playback.joinMillis === null ? '' : `${Math.round(playback.joinMillis)} ms`);
  put('picture', [size, fps].filter(Boolean).join(', '));
  put('codecs', [media.videoCodec, media.audioCodec].filter(Boolean).join(', '));
  put('rate', playback.receivedBps ? `${Math.round(playback.receivedBps / 1000)} kbit/s` : '');
  put('dropped', `${quality.droppedVideoFrames} of ${quality.totalVideoFrames}`);
  put('reconnects', String(playback.reconnects));
  put('viewers', b ? String(b.viewers) : '');
  buttons();
}

function buttons() {
  $('pause').textContent = video.paused ? 'Play' : 'Pause';
  $('sound').textContent = video.muted ? 'Sound on' : 'Sound off';
  $('unmute').hidden = !video.muted || $('stage').dataset.state !== 'playing';
}

function togglePause() {
  if (!video.paused) {
    video.pause();
    return;
  }
  playback.toEdge();
  video.play();
}

function toggleSound() {
  video.muted = !video.muted;
}

function toggleFull() {
  if (document.fullscreenElement) document.exitFullscreen();
  else if ($('screen').requestFullscreen) $('screen').requestFullscreen();
  else video.webkitEnterFullscreen?.();
}

async function poll() {
  if (!document.hidden) {
    try {
      const [{ found, port }, tree] = await Promise.all([fetchBroadcasts(), fetchTree()]);
      broadcasts = found;
      showPublish(port);
      if ($('tree').textContent !== tree) $('tree').textContent = tree;
      $('node').textContent = `${location.host} · ${count(found.length, 'broadcast')}`;
      document.body.classList.remove('lost');
      follow();
    } catch (err) {
      $('node').textContent = `no answer from ${location.host}`;
      $('node').title = String(err);
      document.body.classList.add('lost');
    }
  }
  setTimeout(poll, pollEvery);
}

// showPublish says where to publish; 1935 is RTMP's own port and goes without saying.
function showPublish(port) {
  const where = port && port !== 1935 ? `${location.hostname}:${port}` : location.hostname;
  $('publish-url').textContent = `rtmp://${where}/live/KEY`;
}

function begin() {
  showPublish();
  $('pause').addEventListener('click', togglePause);
  $('sound').addEventListener('click', toggleSound);
  $('unmute').addEventListener('click', toggleSound);
  $('full').addEventListener('click', toggleFull);
  for (const name of ['play', 'pause', 'volumechange']) video.addEventListener(name, buttons);
  const keys = { k: togglePause, m: toggleSound, f: toggleFull };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    keys[event.key]?.();
  });
  addEventListener('popstate', follow);
  setInterval(facts, 500);
  poll();
}

if (mpegts.getFeatureList().mseLivePlayback) {
  mpegts.LoggingControl.enableAll = false;
  mpegts.LoggingControl.enableError = true;
  begin();
} else {
  $('notice').textContent = 'This browser cannot play live media by Media Source Extensions.';
}
