// What is known of the slide that is on: asked of /status, on every rung. Says `mantel-facts` when
// it changes, `mantel-away` when the server has not answered for a while and `mantel-back` when it does.
//
// Where the viewer runs, a new slide is asked about only while somebody wants to know (`mantel.needsFacts`):
// engines keep kilobytes of each request for long, and a year has millions of slides.
(function () {
  'use strict';

  var mantel = window.mantel, root = mantel.root;
  var RETRY_MS = 5000, AWAY_AFTER = 3, SCAN_MS = 2000, QUIET_MS = 60000, LOOK_MS = 5000;

  var known = {}, number = null, n_failed = 0, timer, asking = false, again = false;

  mantel.facts = null;
  mantel.status = null;
  mantel.away = false;
  mantel.slides = 0;
  // The server's clock minus ours: TVs forget the year when they lose power.
  mantel.offset = 0;

  mantel.now = function () { return new Date(new Date().getTime() + mantel.offset); };

  mantel.paused = function () {
    var state = root.getAttribute('data-state');
    if (state === 'paused' || state === 'playing') { return state === 'paused'; }
    return !!mantel.status && mantel.status.channel.paused;
  };

  function show(slide) {
    var text = JSON.stringify(slide);
    if (mantel.facts && mantel.facts.text === text) { return; }
    mantel.facts = slide;
    slide.text = text;
    mantel.say('facts');
  }

  // The viewer knows best which slide is on its screen; the lower rungs go by the server.
  function onScreen() {
    return root.getAttribute('data-rung') === 'wasm' && Number(root.getAttribute('data-slide')) || null;
  }
  mantel.onScreen = onScreen;

  function turn(no) {
    if (no === number) { return; }
    number = no;
    mantel.slides++;
    if (known[no]) { show(known[no]); }
    mantel.say('turn');
  }

  function heard(status, took) {
    var channel = status.channel;
    mantel.status = status;
    mantel.offset = status.now_millis + took / 2 - new Date().getTime();
    known = {};
    [channel.slide, channel.next].forEach(function (slide) {
      if (slide) { known[slide.number] = slide; }
    });
    var no = root.getAttribute('data-rung') === 'wasm' ? onScreen() : channel.slide && channel.slide.number;
    if (no) { turn(no); }
    if (known[number]) { show(known[number]); }
    mantel.say('status');
    if (mantel.away) { mantel.away = false; mantel.say('back'); }
    n_failed = 0;
    if (status.library.scanning) { return SCAN_MS; }
    if (onScreen()) { return QUIET_MS; }
    var left = channel.next_change_millis ? channel.next_change_millis - status.now_millis + 120 : LOOK_MS;
    return Math.max(300, Math.min(LOOK_MS, left));
  }

  function ask() {
    clearTimeout(timer);
    if (asking) { again = true; return; }
    asking = true;
    var start = new Date().getTime();
    mantel.request('GET', 'status' + mantel.shape(), null, function (ok, status) {
      var pause = RETRY_MS;
      asking = false;
      if (ok && status && status.channel && status.library) {
        pause = heard(status, new Date().getTime() - start);
      } else if (++n_failed === AWAY_AFTER) {
        mantel.away = true;
        mantel.say('away');
      }
      timer = setTimeout(ask, again ? 300 : pause);
      again = false;
    });
  }
  mantel.ask = ask;

  function isNeeded() { return mantel.needsFacts.some(function (needs) { return needs(); }); }

  if (window.MutationObserver) {
    new MutationObserver(function () {
      if (onScreen() && onScreen() !== number) {
        turn(onScreen());
        if (isNeeded()) { ask(); }
      } else if (root.getAttribute('data-state') === 'reconnecting' && !n_failed) {
        ask();
      }
    }).observe(root, { attributes: true, attributeFilter: ['data-slide', 'data-state'] });
  }
  mantel.on('mantel-settings online', ask);
  // The first picture comes first.
  timer = setTimeout(ask, 1500);
}());
