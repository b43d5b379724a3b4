// A pause of this screen alone, while the others go on: a row of the menu. The screen lets go of the server, as one
// that nobody sees, and keeps the picture that was on. Loaded by viewer/around/apart.js.
(function () {
  'use strict';

  var mantel = window.mantel, root = mantel.root;
  var act = mantel.act, PATIENCE_MS = 10000, COVER_MS = 3000;
  var cover = null, before, timer;

  mantel.held = false;

  function rest() {
    mantel.resting = true;
    root.setAttribute('data-rest', '');
    mantel.say('rest');
    if (root.getAttribute('data-state') !== 'paused') { root.setAttribute('data-state', 'paused'); }
  }

  // The viewer may hold the next picture already, and would show it: this one lies over it.
  function coverUp() {
    var call = new XMLHttpRequest();
    call.onload = function () {
      if (!mantel.held || cover || call.status !== 200) { return; }
      cover = mantel.make('img');
      cover.id = 'held';
      cover.alt = '';
      cover.src = URL.createObjectURL(call.response);
      cover.style.cssText = 'position:fixed;top:0;left:0;width:100%;height:100%;object-fit:cover';
      document.body.insertBefore(cover, mantel.by('words'));
    };
    call.open('GET', 'snapshot' + mantel.shape(), true);
    call.responseType = 'blob';
    call.timeout = PATIENCE_MS;
    call.send();
  }

  function uncover() {
    if (!cover) { return; }
    URL.revokeObjectURL(cover.src);
    cover.parentNode.removeChild(cover);
    cover = null;
  }

  function release() {
    clearTimeout(timer);
    mantel.held = mantel.resting = false;
    mantel.kept = null;
    root.removeAttribute('data-rest');
    root.setAttribute('data-state', before);
    mantel.say('wake');
    mantel.say('state');
    // The picture that is on now has come by then, or is the one below.
    setTimeout(uncover, COVER_MS);
  }

  mantel.hold = function () {
    mantel.menu(false);
    if (mantel.held) { return release(); }
    uncover();
    before = root.getAttribute('data-state');
    mantel.held = true;
    // The words stay this picture's.
    mantel.kept = mantel.facts;
    rest();
    mantel.say('state');
    if (root.getAttribute('data-rung') === 'wasm') { coverUp(); }
    var channel = mantel.status && mantel.status.channel;
    // It ends by itself, as a pause of all screens does.
    if (channel && channel.resume_after_millis) { timer = setTimeout(release, channel.resume_after_millis); }
  };

  // One screen of a wall has no picture of its own.
  if (mantel.get('wall')) { delete mantel.hold; return; }

  // Whatever moves the pictures on is the end of it, here, and nobody else's business.
  mantel.act = function (name) {
    if (!mantel.held || !/^(toggle|pause|resume|next|previous)$/.test(name)) { return act(name); }
    release();
    return true;
  };

  // A page that was looked away from and at again stays as it was; so does its state, whatever lies below.
  mantel.on('mantel-wake', function () { if (mantel.held) { rest(); } });
  mantel.on('mantel-state', function () {
    if (mantel.held && root.getAttribute('data-state') !== 'paused') { root.setAttribute('data-state', 'paused'); }
  });
  mantel.on('mantel-slide', function () { if (!mantel.held) { uncover(); } });
}());
