// Reads a script from stdin with acorn. Arguments: acorn's folder, and what to do.
// `strip`: writes the script without comments, indentation and blank lines.
// A year, or 5: writes the line of the first thing that this ECMAScript doesn't know, and what it is.
'use strict';
const acorn = require(process.argv[1]), task = process.argv[2];
const script = require('fs').readFileSync(0, 'utf8');

function parse(ecmaVersion, more) {
  try {
    acorn.parse(script, Object.assign({ ecmaVersion }, more));
  } catch (error) {
    if (!error.loc) { throw error; }
    return error;
  }
}

function tooNew() {
  const error = parse(Number(task));
  if (!error) { return ''; }
  let since = 'no script at all';
  for (let year = 2015; year <= new Date().getFullYear(); year++) {
    if (!parse(year)) {
      since = 'ES' + year;
      break;
    }
  }
  if (since === 'no script at all' && !parse('latest', { sourceType: 'module' })) { since = 'a module'; }
  const { line, column } = error.loc;
  const what = script.split('\n')[line - 1].slice(Math.max(column - 10, 0), column + 20);
  return `${line} \`${what}\` (${since})`;
}

// Nothing that stands beside these can change what they mean.
const JOINTS = '{}()[];,:=&|\n';

// Lines stay lines, so that semicolons that are not written are still where they were.
function strip() {
  let out = '', end = 0, line = 0;
  const error = parse('latest', { locations: true, onToken(token) {
    const text = script.slice(token.start, token.end);
    if (!text) { return; }
    const last = out.slice(-1) || '\n';
    if (token.loc.start.line !== line && out) {
      out += '{;,('.includes(last) ? '' : '\n';
    } else if (token.start > end && !JOINTS.includes(last) && !JOINTS.includes(text[0])) {
      // Two signs could become another one, and two words would become one.
      out += ' ';
    }
    out += text;
    end = token.end;
    line = token.loc.end.line;
  } });
  if (error) { throw new Error(error.message); }
  return out + '\n';
}

process.stdout.write(task === 'strip' ? strip() : tooNew());
