/**
 * The page behind the link in a confirmation mail. Opening it changes nothing, since programs that look for malware
 * follow every link: the person presses a button, and the page sends the signed PUT. (contract notifications.md 5, 6)
 */
import { hash } from 'node:crypto'

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}' +
  'dt{font-size:.85rem;opacity:.8}dd{margin:0 0 .6rem;overflow-wrap:anywhere}button{font:inherit;padding:.4rem .8rem}'

/**
 * What a link says is shown as text, never as markup, and its path is held to the form of a confirmation: no link can
 * make the page send anything else. The queue that is shown is the one of the path, which the signature covers.
 */
const SCRIPT = `'use strict'
const part = (id) => document.getElementById(id)
const buttons = document.querySelectorAll('button')
const PATH = /^\\/v2\\/(queue|topic)s\\/([\\w.-]+)\\/subscriptions\\/[\\w-]+\\/confirm$/
let asked

function show() {
  asked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
  const [, kind, name] = PATH.exec(asked.Paths) ?? []
  const isWhole = name !== undefined && ['Signature', 'Methods', 'Project', 'Expires'].every((key) => asked[key])
  part('asked').hidden = !isWhole
  say(isWhole ? '' : 'The link is not whole. Open it exactly as it stands in the mail.')
  if (!isWhole) return
  const hasLeft = asked.Type === 'UnsubscribeConfirmation'
  part('said').textContent = hasLeft
    ? 'You have unsubscribed: no more messages are sent to you. You can subscribe again.'
    : 'Somebody wants messages to be sent to you. They are sent only if you confirm; if you do not want them, close this page.'
  part('subscribe').textContent = hasLeft ? 'Subscribe again' : 'Confirm'
  part('kind').textContent = kind === 'queue' ? 'Queue' : 'Topic'
  part('name').textContent = name
  part('project').textContent = asked.Project
  part('expires').textContent = asked.Expires.replace('T', ' ') + ' UTC'
}

function say(text) {
  part('outcome').textContent = text
}

function randomId() {
  const digits = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

async function send(confirmed) {
  for (const button of buttons) button.disabled = true
  say('Please wait.')
  say(await request(confirmed).then((status) => outcomeOf(status, confirmed), () => UNREACHED))
  for (const button of buttons) button.disabled = false
}

async function request(confirmed) {
  const { Signature, Methods, Paths, Project, Expires } = asked
  const prefix = location.pathname.slice(0, -'/v2/confirm'.length)
  const headers = {
    'Content-Type': 'application/json',
    'Client-ID': randomId(),
    'URL-Signature': Signature,
    'URL-Methods': Methods,
    'URL-Paths': Paths,
    'URL-Expires': Expires,
    'X-Project-ID': Project,
  }
  const terms = { headers, body: JSON.stringify({ confirmed }), credentials: 'omit', redirect: 'error' }
  return (await fetch(prefix + Paths, { method: 'PUT', ...terms })).status
}

const UNREACHED = 'The service could not be reached. Nothing has changed; try again later.'

function outcomeOf(status, confirmed) {
  if (status === 204 && confirmed) return 'Done: you are subscribed, and messages are sent to you from now on.'
  if (status === 204) return 'Done: you are unsubscribed, and no more messages are sent to you.'
  if (status === 404) return 'The link is not good any more: it has expired, or there is no such subscription. Nothing has changed.'
  return 'The service did not do it (status ' + status + '). Nothing has changed; try again later.'
}

part('subscribe').addEventListener('click', () => send(true))
part('unsubscribe').addEventListener('click', () => send(false))
addEventListener('hashchange', show)
show()
`

export const confirmationPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>Subscription</title><style>${STYLE}</style></head><body>
<h1>Subscription</h1>
<noscript><p>This page needs JavaScript, which is switched off in your browser.</p></noscript>
<div id="asked" hidden>
<p id="said"></p>
<dl><dt id="kind"></dt><dd id="name"></dd><dt>Project</dt><dd id="project"></dd><dt>The link is good until</dt><dd id="expires"></dd></dl>
<p><button type="button" id="subscribe"></button> <button type="button" id="unsubscribe">Unsubscribe</button></p>
</div>
<p id="outcome" role="status"></p>
<script>${SCRIPT}</script>
</body></html>
`

/** It runs nothing but its own script, calls nobody but the service, and stands in no frame. */
export const confirmationPageHeaders = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy':
    `default-src 'none'; script-src ${source(SCRIPT)}; style-src ${source(STYLE)}; connect-src 'self'; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
}

function source(text: string): string {
  return `'sha256-${hash('sha256', text, 'base64')}'`
}
