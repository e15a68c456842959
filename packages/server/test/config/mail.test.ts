import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mailTemplate } from '../../src/config/mail-template.ts'
import { loadFile, problemsOf } from './memory.ts'

test('mail leaves by the usual command unless told otherwise', () => {
  const { mode, command } = loadFile('').config.mail
  assert.deepEqual([mode, command], ['third_part', '/usr/sbin/sendmail -t -oi'])
})

test('a mail server of an upstream file is used with TLS', () => {
  const { mode, host, port, userName, userPassword, security } = loadFile(
    '[notification]\nsmtp_mode = self_local\nsmtp_host = mail.example\nsmtp_port = 8465\n' +
      'smtp_user_name = u\nsmtp_user_password = p',
  ).config.mail
  assert.deepEqual([mode, host, port, userName, security], ['self_local', 'mail.example', 8465, 'u', 'tls'])
  assert.equal(userPassword?.reveal(), 'p')
})

test('a mail server that is not complete stops the start', () => {
  const problems = (lines: string) =>
    problemsOf({ files: { '/etc/zaqar/zaqar.conf': `[notification]\n${lines}` } }).join('\n')
  assert.match(problems('smtp_mode = self_local'), /\[notification\] smtp_host: the mail server is missing/)
  const server = 'smtp_mode = self_local\nsmtp_host = mail.example\n'
  assert.match(problems(`${server}smtp_user_name = u`), /smtp_user_password: the password of the mail account/)
  assert.match(problems(`${server}smtp_user_password = p`), /smtp_user_name: the name of the mail account/)
  assert.match(problems('smtp_command ='), /smtp_command: the command is missing/)
})

const template = { topic: 't', body: 'b', sender: 'a@x' }

test('a template is a dictionary whose texts with commas are quoted', () => {
  for (const [text, value] of [
    ['topic:t,body:b,sender:a@x', template],
    [' sender : A B <a@x> , topic: t:u ,body:  ', { topic: 't:u', body: '', sender: 'A B <a@x>' }],
    [
      `topic:'a, b',body:"it's {0}, c:d\ne",sender:"A, B <a@x>"`,
      { topic: 'a, b', body: "it's {0}, c:d\ne", sender: 'A, B <a@x>' },
    ],
    ['topic:t,body:b,sender:a@x,other:o,', template],
    [`topic:it's,body:b,sender:a@x`, { ...template, topic: "it's" }],
  ] as const) {
    assert.deepEqual(mailTemplate.parse(text), { value }, text)
  }
})

test('a template that lacks something, or makes no mail, is refused', () => {
  for (const text of [
    '',
    'topic:t,body:b',
    'topic:t,sender:a@x',
    'body:b,sender:a@x',
    'topic:t,body:Hello, {0},sender:a@x',
    'topic:t\nX: y,body:b,sender:a@x',
    'topic:t,body:b,sender:nobody',
    'topic:t,body:b,sender:a@x\nX: y',
  ]) {
    assert.ok('refused' in mailTemplate.parse(text), text)
  }
})
