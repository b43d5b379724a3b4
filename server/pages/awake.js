// Keeps the screen from going dark: a wake lock where the page is secure, else a video that plays
// behind the pictures, which most TVs take for a reason to stay on. `awake=off` lets them sleep. Loaded by
// viewer/around/apart.js.
(function () {
  'use strict';

  var mantel = window.mantel;
  var REFRESH_MS = 4 * 60000, RETRY_MS = 30000;
  // Black, silent, 32x32, two seconds; H.264 for TVs and Safari, VP8 for engines without it.
  var FILMS = [['mp4', 'AAAAIGZ0eXBpc29tAAACAGlzb21pc28yYXZjMW1wNDEAAAMRbW9vdgAAAGxtdmhkAAAAAAAAAAAAAAAAAAAD6AAAB9AAAQAAAQAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgAAAmB0cmFrAAAAXHRraGQAAAADAAAAAAAAAAAAAAABAAAAAAAAB9AAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAABAAAAAACAAAAAgAAAAAAAkZWR0cwAAABxlbHN0AAAAAAAAAAEAAAfQAAAAAAABAAAAAAHYbWRpYQAAACBtZGhkAAAAAAAAAAAAAAAAAABAAAAAgABVxAAAAAAALWhkbHIAAAAAAAAAAHZpZGUAAAAAAAAAAAAAAABWaWRlb0hhbmRsZXIAAAABg21pbmYAAAAUdm1oZAAAAAEAAAAAAAAAAAAAACRkaW5mAAAAHGRyZWYAAAAAAAAAAQAAAAx1cmwgAAAAAQAAAUNzdGJsAAAAu3N0c2QAAAAAAAAAAQAAAKthdmMxAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAACAAIABIAAAASAAAAAAAAAABDExhdmMgbGlieDI2NAAAAAAAAAAAAAAAAAAAAAAAAAAAGP//AAAAMWF2Y0MBQsAe/+EAGGdCwB6mESWwEQAAAwABAAADAAQPFi4RgAEABmjIQg8sgAAAABBwYXNwAAAAAQAAAAEAAAAUYnRydAAAAAAAAAC8AAAAvAAAABhzdHRzAAAAAAAAAAEAAAAEAAAgAAAAABRzdHNzAAAAAAAAAAEAAAABAAAAHHN0c2MAAAAAAAAAAQAAAAEAAAAEAAAAAQAAACRzdHN6AAAAAAAAAAAAAAAEAAAAEQAAAAoAAAAKAAAACgAAABRzdGNvAAAAAAAAAAEAAANBAAAAPXVkdGEAAAA1bWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAbWRpcmFwcGwAAAAAAAAAAAAAAAAIaWxzdAAAAAhmcmVlAAAAN21kYXQAAAANZYiCAp5MUAAf35OuvAAAAAZBmhwFPLAAAAAGQZoqAU8sAAAABkGaOwEvLA=='], ['webm', 'GkXfo59ChoEBQveBAULygQRC84EIQoKEd2VibUKHgQJChYECGFOAZwEAAAAAAAHrEU2bdLpNu4tTq4QVSalmU6yBoU27i1OrhBZUrmtTrIHGTbuMU6uEElTDZ1OsggEMTbuMU6uEHFO7a1OsggHV7AEAAAAAAABZAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAVSalmoCrXsYMPQkBNgIRMYXZmV0GETGF2ZkSJiECfQAAAAAAAFlSua8GuAQAAAAAAADjXgQFzxYgAAAAAAAAAAZyBACK1nIN1bmSIgQCGhVZfVlA4g4EBI+ODhB3NZQDgibCBILqBIJqBAhJUw2fRc3POY8CLY8WIAAAAAAAAAAFnyJhFo4dFTkNPREVSRIeLTGF2YyBsaWJ2cHhnyKJFo4hEVVJBVElPTkSHlDAwOjAwOjAyLjAwMDAwMDAwMAAAH0O2de7ngQCjpIEAAIAwAgCdASogACAAAEcIhYWIhYSIAgIAB5DzycD+/6tQgKOVgQH0ALEBAAEQEAAYABhYL/QACHAAo5WBA+gAsQEAARAQABgAGFgv9AAIcACjlYEF3ACxAQABEBAAGAAYWC/0AAhwABxTu2uRu4+zgQC3iveBAfGCAWLwgQM=']];

  var lock = null, asking = false, video = null;

  mantel.awake = 'nothing';

  function wanted() { return mantel.isOn('awake', 'on'); }

  function askForLock() {
    if (lock || asking || document.hidden) { return; }
    asking = true;
    navigator.wakeLock.request('screen').then(function (got) {
      asking = false;
      lock = got;
      mantel.awake = 'lock';
      stopVideo();
      // The system takes it back when the page is hidden, or the battery low.
      got.addEventListener('release', function () { lock = null; mantel.awake = 'nothing'; });
      if (!wanted()) { keep(); }
    }, function () {
      asking = false;
      play();
    });
  }

  // Engines count a muted video only when it covers a fifth of the screen and isn't transparent;
  // what lies over it doesn't matter to them.
  function play() {
    if (!video) {
      video = document.createElement('video');
      video.id = 'awake';
      video.muted = video.loop = video.playsInline = true;
      ['muted', 'loop', 'playsinline', 'webkit-playsinline', 'disablePictureInPicture'].forEach(function (name) {
        video.setAttribute(name, '');
      });
      video.setAttribute('aria-hidden', 'true');
      video.tabIndex = -1;
      FILMS.forEach(function (film) {
        var source = mantel.make('source', video);
        source.type = 'video/' + film[0];
        source.src = 'data:video/' + film[0] + ';base64,' + film[1];
      });
      video.addEventListener('playing', function () { if (video) { mantel.awake = 'video'; } });
      ['pause', 'error', 'ended'].forEach(function (name) {
        video.addEventListener(name, function () { if (mantel.awake === 'video') { mantel.awake = 'nothing'; } }, true);
      });
      document.body.insertBefore(video, document.body.firstChild);
    }
    var promise = video.play();
    // Some engines want a hand on the screen first: with the next one it is tried again.
    if (promise && promise.then) { promise.then(null, function () {}); }
  }

  function stopVideo() {
    if (!video) { return; }
    video.parentNode.removeChild(video);
    video.pause();
    video = null;
  }

  function keep() {
    if (!wanted()) {
      if (lock) { lock.release(); lock = null; }
      stopVideo();
      mantel.awake = 'off';
    } else if (navigator.wakeLock && window.isSecureContext !== false) {
      askForLock();
    } else {
      play();
    }
  }

  // TVs forget a film that has only gone round for long: it is begun anew.
  setInterval(function () {
    if (video && wanted()) { try { video.currentTime = 0; } catch (e) { /* not loaded */ } }
    keep();
  }, REFRESH_MS);
  setInterval(function () { if (mantel.awake === 'nothing') { keep(); } }, RETRY_MS);
  mantel.on('visibilitychange', keep, document);
  mantel.on('mantel-settings', keep);
  mantel.on('keydown mouseup touchend', function () { if (mantel.awake === 'nothing') { keep(); } });
  keep();
}());
