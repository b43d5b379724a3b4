// The service worker: lets the page load while the server is away, and nothing else.
//
// The page is asked of the server first, always; what was kept serves only when no answer comes. Files
// with their content's hash in their names can't be old. Streams, status and commands never come
// through here. Each viewer has a worker and a cache of its own, by its version.
'use strict';

var PAGES = 'mantel-page-%VERSION%';
var PATIENCE_MS = 4000;
// What the page loads apart; their names have no hash, so the server is asked first.
var APART = ['kept.js', 'report.js', 'problem.js', 'awake.js', 'bar.js', 'hold.js', 'wish.js'];
// The words of a language; the one that the screen has asked for is kept.
var WORDS = /^words-[a-z]+\.js$/;
var HASHED = /-[0-9a-f]{16}(_bg)?\.(js|wasm|css)$/;

// What never comes through here: all addresses of the server's table that are no files. Engines that can be told so (Chromium 123 and later) don't wake the
// worker for it: a screen asks for the status with each slide, all year.
var PAST = '%PAST%'.split(' ');

self.addEventListener('install', function (event) {
  var here = new URL(self.registration.scope).pathname, routed = null;
  if (event.addRoutes && self.URLPattern) {
    try {
      routed = event.addRoutes(PAST.map(function (path) {
        return { condition: { urlPattern: new URLPattern({ pathname: here + path }) }, source: 'network' };
      })).then(null, function () {});
    } catch (e) { /* Through the worker, then. */ }
  }
  event.waitUntil(Promise.all([routed, self.skipWaiting()]));
});

self.addEventListener('activate', function (event) {
  event.waitUntil(caches.keys().then(function (names) {
    return Promise.all(names.map(function (name) {
      return /^mantel-page-/.test(name) && name !== PAGES ? caches.delete(name) : null;
    }));
  }).then(function () {
    return self.clients.claim();
  }).then(keepWhatIsOpen).then(null, function () {}));
});

self.addEventListener('fetch', function (event) {
  var url = new URL(event.request.url), scope = self.registration.scope;
  if (event.request.method !== 'GET' || url.href.indexOf(scope) !== 0) { return; }
  var path = url.href.slice(scope.length).split(/[?#]/)[0];
  if (event.request.mode === 'navigate') {
    if (path === '' && !/[?&]action=/.test(url.search)) { event.respondWith(page(event, url)); }
    if (/^tv\/[a-z0-9-]+$/.test(path)) { event.respondWith(screen(event.request, path)); }
  } else if (HASHED.test(path)) {
    event.respondWith(file(event.request));
  } else if (APART.indexOf(path) >= 0) {
    event.respondWith(fetch(event.request).then(null, function () { return kept(path); }));
  } else if (WORDS.test(path)) {
    event.respondWith(fetch(event.request).then(function (answer) {
      if (answer.ok) { put(event.request, answer.clone()); }
      return answer;
    }, function () { return kept(event.request); }));
  }
});

// The page that is open came before its worker: page and files are fetched again, from the
// browser's own cache where they are in it.
function keepWhatIsOpen() {
  return fetch('./').then(keep).then(function (text) {
    var names = text ? text.match(/[\w.-]+-[0-9a-f]{16}(_bg)?\.(js|wasm|css)/g) || [] : [];
    return caches.open(PAGES).then(function (cache) {
      return Promise.all(names.concat(APART).map(function (name) { return cache.add(name); }));
    });
  });
}

// Keeps a page that is ours; a hotel's login page is not.
function keep(answer) {
  if (!answer.ok) { return null; }
  return answer.clone().text().then(function (text) {
    if (text.indexOf('mantel-viewer') < 0) { return null; }
    var kept = text.replace('<html ', '<html data-kept-page ');
    return caches.open(PAGES).then(function (cache) {
      return cache.put('page', new Response(kept, { headers: headersOf(answer) }));
    }).then(function () { return text; }, function () { return text; });
  });
}

// What the server allows its page stays with it.
function headersOf(answer) {
  var headers = { 'Content-Type': 'text/html; charset=utf-8' };
  ['Content-Security-Policy', 'Referrer-Policy', 'Permissions-Policy', 'X-Content-Type-Options'].forEach(function (name) {
    if (answer.headers.get(name)) { headers[name] = answer.headers.get(name); }
  });
  return headers;
}

function kept(key) {
  return caches.match(key, { cacheName: PAGES });
}

function page(event, url) {
  var network = fetch(event.request).then(function (answer) {
    event.waitUntil(Promise.all([keep(answer), keepName(url)]).then(null, function () {}));
    if (answer.status < 500) { return answer; }
    return kept('page').then(function (old) { return old || answer; });
  });
  network.then(null, function () {});
  var late = new Promise(function (resolve) { setTimeout(resolve, PATIENCE_MS); }).then(function () {
    return kept('page');
  }).then(function (old) { return old || network; });
  return Promise.race([network, late]).then(null, function (error) {
    return kept('page').then(function (old) {
      if (old) { return old; }
      throw error;
    });
  });
}

// `/tv/NAME` leads to the settings of that name; the last ones are remembered for when nobody can say.
function keepName(url) {
  var name = /[?&]name=([a-z0-9-]+)/.exec(url.search);
  return name && caches.open(PAGES).then(function (cache) {
    return cache.put('tv/' + name[1], new Response(url.search));
  });
}

function screen(request, path) {
  return fetch(request).then(null, function (error) {
    return kept(path).then(function (old) {
      if (!old) { throw error; }
      return old.text();
    }).then(function (search) {
      return Response.redirect(self.registration.scope + search, 302);
    });
  });
}

function put(request, copy) {
  caches.open(PAGES).then(function (cache) { return cache.put(request, copy); }).then(null, function () {});
}

function file(request) {
  return caches.match(request, { cacheName: PAGES }).then(function (old) {
    return old || fetch(request).then(function (answer) {
      if (answer.ok) {
        put(request, answer.clone());
      }
      return answer;
    });
  });
}
