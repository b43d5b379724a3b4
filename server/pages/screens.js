// The page of screens: fetches itself anew and puts its middle in place. ES5, for the tablet on the wall. The
// picture is fetched when it is another one, not each time.
(function () {
  'use strict';
  var now = document.getElementById('now'), slide = null;
  function picture() {
    var line = document.querySelector('main [data-slide]'), no = line && line.getAttribute('data-slide');
    if (!no || no === slide) { return; }
    slide = no;
    now.src = 'snapshot?size=320x180&slide=' + no;
  }
  function again() {
    var call = new XMLHttpRequest();
    call.onreadystatechange = function () {
      if (call.readyState !== 4) { return; }
      var main = /<main>([\s\S]*)<\/main>/.exec(call.responseText);
      if (call.status === 200 && main) { document.querySelector('main').innerHTML = main[1]; picture(); }
      setTimeout(again, 2000);
    };
    call.open('GET', 'screens', true);
    call.timeout = 10000;
    call.send();
  }
  setTimeout(again, 2000);
}());
