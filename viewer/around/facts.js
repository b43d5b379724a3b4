// What is known of the slide that is on: asked of /status, on every rung. Says `mantel-facts` when
// it changes, `mantel-away` when the server has not answered for a while and `mantel-back` when it does,
// `mantel-problem` when it begins or ceases to answer with a sentence in place of facts (`mantel.problem`),
// and `mantel-state` when the page is in another state.
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
  mantel.problem = null;
  mantel.slides = 0;
  // The server's clock minus ours: TVs forget the year when they lose power.
  mantel.offset = 0;

  mantel.now = function () { return new Date(new Date().getTime() + mantel.offset); };

  mantel.paused = function () {
    var state = root.getAttribute('data-state');
    if (state === 'paused' || state === 'playing') { return state === 'paused'; }
    return !!mantel.status && mantel.status.channel.paused;
  };

  // Whether this is the page of a live channel.
  mantel.isLive = function () { return !!mantel.status && !!mantel.status.channel.live; };

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
    answered(null);
    if (status.library.scanning) { return SCAN_MS; }
    if (onScreen()) { return QUIET_MS; }
    var left = channel.next_change_millis ? channel.next_change_millis - status.now_millis + 120 : LOOK_MS;
    return Math.max(300, Math.min(LOOK_MS, left));
  }

  // The server is there, and has nothing to show or a sentence why.
  function answered(problem) {
    var changed = !problem !== !mantel.problem || problem && problem.sentence !== mantel.problem.sentence;
    mantel.problem = problem;
    if (changed) {
      mantel.say('problem');
      // The viewer need not wait for its next try.
      if (!problem) { mantel.say('retry'); }
    }
    if (mantel.away) { mantel.away = false; mantel.say('back'); }
    n_failed = 0;
  }

  // Sentences are one line of text; what a proxy has to say is a page.
  function sentenceOf(text, code) {
    var line = (text || '').trim();
    return (code >= 400 && code < 500 || code === 503) && line && line.length < 400 && !/[<\n]/.test(line) ? line : '';
  }

  function ask() {
    clearTimeout(timer);
    // Nobody sees what would be answered.
    if (mantel.resting) { return; }
    if (asking) { again = true; return; }
    asking = true;
    var start = new Date().getTime();
    mantel.request('GET', 'status' + mantel.shape(), null, function (ok, status, text, code) {
      var pause = RETRY_MS, sentence = sentenceOf(text, code);
      asking = false;
      if (ok && status && status.channel && status.library) {
        pause = heard(status, new Date().getTime() - start);
      } else if (sentence) {
        answered({ sentence: sentence, isDoor: code === 401 || code === 403 || code === 429 });
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
    var before;
    new MutationObserver(function () {
      var state = root.getAttribute('data-state');
      if (state !== before) {
        before = state;
        mantel.say('state');
        // Who has paused it.
        if (state === 'paused') { ask(); }
      }
      if (onScreen() && onScreen() !== number) {
        turn(onScreen());
        if (isNeeded()) { ask(); }
      } else if (state === 'reconnecting' && !n_failed) {
        ask();
      }
    }).observe(root, { attributes: true, attributeFilter: ['data-slide', 'data-state'] });
  }
  mantel.on('mantel-settings online mantel-wake', ask);
  // Screens of another shape pair other photos.
  var turning;
  mantel.on('resize', function () {
    clearTimeout(turning);
    turning = setTimeout(ask, 700);
  });
  // The first picture comes first.
  timer = setTimeout(ask, 1500);
}());
