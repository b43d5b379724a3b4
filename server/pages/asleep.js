// The page of a screen that sleeps: dark, without a picture, until it is to wake. A touch or a key wakes it. ES5, for the
// tablet on the wall.
//
// The viewer is gone meanwhile, and with it all that it held; so is what kept the screen on, and a panel may rest.
(function () {
  'use strict';
  var WAIT_MS = 70000, RETRY_MS = 5000, ONCE_MS = 500, REPORT_MS = 60000;
  var style = document.documentElement.style, version = '', timer, ticking, byNight = false, LIT_MS = 300000;
  var found = /[?&]name=([^&]*)/.exec(location.search), name = found ? found[1] : '';
  var id = 'asleep' + Math.random().toString(36).slice(2, 10);
  var clock = document.body.appendChild(document.createElement('div'));
  clock.id = 'clock';
  style.background = '#000';
  style.cursor = 'none';
  style.height = '100%';

  function wake() { location.replace('./' + location.search); }

  function later(pause) {
    clearTimeout(timer);
    timer = setTimeout(ask, pause);
  }

  function ask() {
    var call = new XMLHttpRequest();
    call.onreadystatechange = function () {
      if (call.readyState !== 4) { return; }
      var answer = null;
      try { answer = call.status === 200 && JSON.parse(call.responseText); } catch (e) { answer = null; }
      later(answer ? ONCE_MS : RETRY_MS);
      if (!answer) { return; }
      version = answer.version;
      byNight = answer.by_night;
      tick(answer.clock);
      if (!answer.asleep) { wake(); }
    };
    call.open('GET', 'profiles/' + name + '?wait=1&not=' + version, true);
    call.timeout = WAIT_MS;
    call.send();
  }

  function post(path, body) {
    var call = new XMLHttpRequest();
    call.open('POST', path, true);
    call.setRequestHeader('Content-Type', 'application/json');
    call.send(JSON.stringify(body));
  }

  // A dark clock of no blue, somewhere else each minute, so that nothing burns in.
  function tick(isOn) {
    var now = new Date(), minutes = now.getMinutes(), at = (now.getHours() * 60 + minutes) * 4 % 9;
    clearTimeout(ticking);
    if (!isOn) { clock.innerHTML = ''; return; }
    clock.textContent = now.getHours() + ':' + (minutes < 10 ? '0' : '') + minutes;
    clock.style.cssText = 'position:fixed;color:#4a3c2c;font:16vmin sans-serif;top:' + (8 + Math.floor(at / 3) * 32) +
      '%;left:' + (8 + at % 3 * 28) + '%';
    ticking = setTimeout(function () { tick(true); }, 60500 - now.getTime() % 60000);
  }

  // Its own night goes on behind five minutes of light; whoever was sent to sleep is woken.
  function touched() {
    if (byNight) {
      try { sessionStorage.setItem('mantel-lit', Date.now() + LIT_MS); } catch (e) { return; }
      wake();
      return;
    }
    post('control', { command: 'wake', screen: decodeURIComponent(name) });
  }

  function report() {
    post('report', { id: id, name: decodeURIComponent(name), state: 'asleep', width: screen.width, height: screen.height });
    setTimeout(report, REPORT_MS);
  }

  if (!name) { wake(); return; }
  ['keydown', 'mousedown', 'touchstart'].forEach(function (kind) { document.addEventListener(kind, touched, false); });
  document.documentElement.setAttribute('data-state', 'asleep');
  ask();
  report();
}());
