import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSubscriptionOptions } from '../../src/core/rules/subscription-options.ts'
import { composeConfirmationMail, composeMail, confirmationLink } from '../../src/delivery/compose-mail.ts'
import type { Confirmation } from '../../src/delivery/confirmation.ts'
import type { Json, NotifiedMessage, Queue } from '../../src/model/model.ts'

const queue: Queue = { project: 'p', kind: 'queue', name: 'q', metadata: '{}', version: '1' }
const message: NotifiedMessage = {
  id: 'm',
  body: '{"n": 1}',
  clientId: 'c',
  ttlSeconds: 300,
  delaySeconds: 0,
  createdAt: Date.UTC(2026, 10, 23),
}
const document = '{"ttl": 300, "body": {"n": 1}, "Message_Type": "Notification", "queue_name": "q"}'

function compose(subscriber: string, options: Record<string, Json> = {}, bodies = ['{"n": 1}']) {
  return composeMail({
    subscriber,
    options: readSubscriptionOptions(JSON.stringify(options)),
    queue,
    messages: bodies.map((body, n) => ({ ...message, id: `m${n}`, body })),
    sender: 'Zaqar <no-reply@example.org>',
  })
}

test('a notification is the text of a mail, sender and subject are those of the options', () => {
  assert.deepEqual(compose('mailto:b@example.com', { from: 'a@example.org', subject: 'News' }), {
    from: 'a@example.org',
    to: 'b@example.com',
    cc: null,
    bcc: null,
    subject: 'News',
    text: document,
  })
})

test('without options there is no subject, and the sender is that of the house', () => {
  for (const options of [{}, { from: '', subject: '' }, { from: 7, subject: ['x'] }]) {
    const { from, subject } = compose('mailto:b@example.com', options)
    assert.deepEqual([from, subject], ['Zaqar <no-reply@example.org>', ''])
  }
})

test('several messages are one mail, a document a line', () => {
  const { text } = compose('mailto:b@example.com', {}, ['{"n": 1}', '{"n": 2}'])
  assert.equal(text, `${document}\n${document.replace('1}', '2}')}`)
})

test('an event is in the text as a whole', () => {
  for (const _format of ['cloudevents', 'cloudevents-binary']) {
    const { specversion, id, data } = JSON.parse(compose('mailto:b@example.com', { _format }).text)
    assert.deepEqual([specversion, id, data], ['1.0', 'm0', { n: 1 }])
  }
})

test('the URI is read as RFC 6068 says, with names of any case', () => {
  const uri = 'MAILTO:one%2Bx@example.com,two+y@example.com?Subject=a%20b%26c+d&CC=c%40example.com&bcc=d@x,e@x&cc=f@x'
  const { to, cc, bcc, subject } = compose(uri, { subject: 'other' })
  assert.deepEqual(
    [to, cc, bcc, subject],
    ['one+x@example.com, two+y@example.com', 'c@example.com, f@x', 'd@x, e@x', 'a b&c+d'],
  )
})

test('receivers may stand in the query alone', () => {
  assert.equal(compose('mailto:?to=a@x,b@x').to, 'a@x, b@x')
  assert.equal(compose('mailto:c@x?to=a@x').to, 'c@x, a@x')
})

test('what follows a # is no part of it, and nothing is no receiver', () => {
  const { to, cc, subject } = compose('mailto:,a@x,?subject=s&cc=#b,c')
  assert.deepEqual([to, cc, subject], ['a@x', null, 's'])
})

test('a text in the URI and other fields are ignored', () => {
  const uri = 'mailto:b@example.com?body=evil&from=evil@example.net&x-header=1&reply-to=evil@example.net'
  assert.deepEqual(compose(uri), compose('mailto:b@example.com'))
})

test('an empty subject in the URI counts, and of two the last', () => {
  assert.equal(compose('mailto:b@x?subject=', { subject: 'other' }).subject, '')
  assert.equal(compose('mailto:b@x?subject=a&subject=b=c').subject, 'b=c')
})

test('an encoded comma does not make two receivers', () => {
  assert.equal(compose('mailto:a%40x%2Cb@y').to, '"a@x,b@y"')
})

test('what is not encoded properly stays as it is', () => {
  assert.deepEqual(compose('mailto:100%@x?subject=%ZZ').subject, '%ZZ')
  assert.equal(compose('mailto:100%@x').to, '100%@x')
})

test('line breaks in a URI reach the mail decoded, for the channel to refuse', () => {
  assert.equal(compose('mailto:b@x?subject=a%0D%0ABcc:%20c@x').subject, 'a\r\nBcc: c@x')
})

test('a mail for confirmation is made of its template, and the URI has no say in its subject', () => {
  const template = {
    topic: 'Please confirm',
    sender: 'Zaqar <no-reply@example.org>',
    body: '{{{0}}} of {1}: {2} {3} {} {name} {0}',
  }
  const subscriber = 'mailto:b@example.com?subject=evil&cc=c@example.com'
  assert.deepEqual(composeConfirmationMail({ template, subscriber, queue: '{1}', project: 'p', link: 'http://l/$&' }), {
    from: 'Zaqar <no-reply@example.org>',
    to: 'b@example.com',
    cc: 'c@example.com',
    bcc: null,
    subject: 'Please confirm',
    text: '{{1}} of p: http://l/$& {3} {} {name} {1}',
  })
})

const confirmation: Confirmation = {
  type: 'SubscriptionConfirmation',
  signature: '6a63d63242ebd18c3518871dda6fdcb6273db2672c599bf985469241e9a1c799',
  path: '/v2/queues/q/subscriptions/6f8b3c/confirm',
  queue: { project: 'a0e5c2', kind: 'queue', name: 'q' },
  expires: '2026-11-23T09:09:09',
  url: 'http://zaqar.example:8888/v2/queues/q/subscriptions/6f8b3c/confirm',
  webSocketUrl: null,
}

test('the link has all that the page needs, in the order of upstream and not encoded', () => {
  const { signature, path, url } = confirmation
  assert.equal(
    confirmationLink('http://page.example/confirm.html', confirmation),
    `http://page.example/confirm.html?Signature=${signature}&Methods=PUT&Paths=${path}` +
      `&Project=a0e5c2&Expires=2026-11-23T09:09:09&Url=${url}&Queue=q`,
  )
})

test('values that would break the link are encoded, so that a page reads them as they were', () => {
  const project = 'a&b=c#d%26 e+f"<é>\u{1f600}\r\n'
  const queue = { ...confirmation.queue, project }
  const link = confirmationLink('http://page.example/?lang=en', { ...confirmation, queue, url: null })
  assert.doesNotMatch(link, /[\s"<>#]/)
  assert.deepEqual(
    [...new URL(link).searchParams],
    [
      ['lang', 'en'],
      ['Signature', confirmation.signature],
      ['Methods', 'PUT'],
      ['Paths', confirmation.path],
      ['Project', project],
      ['Expires', confirmation.expires],
      ['Url', ''],
      ['Queue', 'q'],
    ],
  )
})
