// Playback keeps one video element on one broadcast: it connects, follows the live edge, and
// connects again when the stream ends, fails or stands still.

import { mediaAddress } from './broadcasts.js';

// Seconds of media that the player keeps before the live edge. Above behindMax it plays faster;
// above behindLost, after a tab slept say, it jumps.
const behindTarget = 0.3;
const behindMax = 0.6;
const behindLost = 3;

const retryFirst = 250; // milliseconds, doubled each time
const retryMost = 5000;
const stallMost = 6000; // milliseconds without a new picture before connecting again

const config = {
  enableStashBuffer: false,
  liveSync: true,
  liveSyncTargetLatency: behindTarget,
  liveSyncMaxLatency: behindMax,
  liveSyncPlaybackRate: 1.2,
  lazyLoad: false,
  autoCleanupSourceBuffer: true,
  autoCleanupMaxBackwardDuration: 30,
  autoCleanupMinBackwardDuration: 10,
};

export class Playback {
  #video;
  #changed;
  #player = null;
  #key = null;
  #began = 0;
  #tries = 0;
  #retry = 0;
  #moved = 0;
  #shown = 0;

  // changed is called with ('connecting' | 'playing' | 'retrying' | 'idle' | 'blocked', reason).
  constructor(video, changed) {
    this.#video = video;
    this.#changed = changed;
    this.reconnects = 0;
    this.joinMillis = null;
    this.media = {};
    this.receivedBps = 0;
    video.addEventListener('playing', () => this.#playing());
    setInterval(() => this.#watch(), 500);
  }

  get key() { return this.#key; }

  // play goes over to a broadcast, from whatever was playing.
  play(key) {
    this.reconnects = 0;
    this.#tries = 0;
    this.#key = key;
    this.#connect();
  }

  // behind is how many seconds of received media are not yet shown, or null.
  behind() {
    const { buffered, currentTime } = this.#video;
    if (!this.#player || buffered.length === 0) return null;
    return Math.max(0, buffered.end(buffered.length - 1) - currentTime);
  }

  // toEdge jumps close to the newest media.
  toEdge() {
    const { buffered } = this.#video;
    if (buffered.length > 0) {
      this.#video.currentTime = buffered.end(buffered.length - 1) - behindTarget;
    }
  }

  #connect() {
    this.#disconnect();
    this.#changed('connecting');
    this.joinMillis = null;
    this.media = {};
    this.#began = performance.now();
    this.#moved = this.#began;
    const player = mpegts.createPlayer(
      { type: 'flv', isLive: true, url: mediaAddress(this.#key) }, config);
    this.#player = player;
    player.on(mpegts.Events.ERROR, (kind, detail, info) => {
      if (player === this.#player) this.#again(reasonFor(detail, info));
    });
    player.on(mpegts.Events.LOADING_COMPLETE, () => {
      if (player === this.#player) this.#again('the stream ended');
    });
    player.on(mpegts.Events.MEDIA_INFO, (info) => { this.media = info; });
    player.on(mpegts.Events.STATISTICS_INFO, (info) => {
      this.receivedBps = (info.speed ?? 0) * 8 * 1024;
    });
    player.attachMediaElement(this.#video);
    player.load();
    this.#start(player);
  }

  async #start(player) {
    try {
      await player.play();
    } catch (err) {
      if (player === this.#player && err.name === 'NotAllowedError') this.#changed('blocked');
    }
  }

  #disconnect() {
    clearTimeout(this.#retry);
    const player = this.#player;
    this.#player = null;
    this.receivedBps = 0;
    if (!player) return;
    player.destroy();
  }

  #again(reason) {
    this.#disconnect();
    const wait = Math.min(retryMost, retryFirst * 2 ** this.#tries) * (0.75 + Math.random() / 2);
    this.#tries += 1;
    this.reconnects += 1;
    this.#changed('retrying', reason);
    this.#retry = setTimeout(() => this.#connect(), wait);
  }

  #playing() {
    this.#tries = 0;
    this.#changed('playing');
    if (this.joinMillis !== null) return;
    const done = () => { this.joinMillis ??= performance.now() - this.#began; };
    if (this.#video.requestVideoFrameCallback) {
      this.#video.requestVideoFrameCallback(done);
    } else {
      done();
    }
  }

  // watch runs twice a second: it notices a stream that stands still, and a tab that slept.
  #watch() {
    if (!this.#player) return;
    const now = performance.now();
    const at = this.#video.currentTime;
    if (at !== this.#shown || this.#video.paused || document.hidden) {
      this.#shown = at;
      this.#moved = now;
    }
    if (this.joinMillis !== null && now - this.#moved > stallMost) {
      this.#again('no new picture for a while');
      return;
    }
    if (!this.#video.paused && this.behind() > behindLost) this.toEdge();
  }
}

function reasonFor(detail, info) {
  if (info?.code === 404) return 'no such broadcast';
  if (info?.code > 0) return `the node answered ${info.code}`;
  return detail === 'Exception' ? 'the connection broke' : String(detail ?? 'it broke off');
}
