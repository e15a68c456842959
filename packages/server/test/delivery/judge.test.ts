import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createJudge, type GuardOptions } from '../../src/delivery/guard/judge.ts'

const judgeWith = (others: Partial<GuardOptions> = {}) =>
  createJudge({ allowLoopback: false, allow: [], deny: [], ...others })

/** IPv4 addresses, and why nothing is sent to them. */
const IPV4: Readonly<Record<string, string | null>> = {
  '169.254.169.254': 'metadata service',
  '100.100.100.200': 'metadata service',
  '168.63.129.16': 'metadata service',
  '192.0.0.192': 'metadata service',
  '169.254.0.1': 'link-local',
  '169.254.255.255': 'link-local',
  '224.0.0.1': 'multicast',
  '239.255.255.255': 'multicast',
  '0.0.0.0': 'unspecified',
  '0.1.2.3': 'unspecified',
  '255.255.255.255': 'broadcast',
  '127.0.0.1': 'loopback',
  '127.255.255.254': 'loopback',
  '100.64.0.1': 'reserved',
  '100.127.255.255': 'reserved',
  '192.0.0.1': 'reserved',
  '192.0.2.1': 'reserved',
  '192.88.99.1': 'reserved',
  '198.18.0.1': 'reserved',
  '198.19.255.255': 'reserved',
  '198.51.100.1': 'reserved',
  '203.0.113.1': 'reserved',
  '240.0.0.1': 'reserved',
  '255.255.255.254': 'reserved',
  '10.0.0.1': null,
  '172.16.0.1': null,
  '192.168.255.255': null,
  '1.1.1.1': null,
  '8.8.8.8': null,
  '100.63.255.255': null,
  '100.128.0.0': null,
  '126.255.255.255': null,
  '128.0.0.0': null,
  '169.253.255.255': null,
  '169.255.0.0': null,
  '198.17.255.255': null,
  '198.20.0.0': null,
  '223.255.255.255': null,
}

const IPV6: Readonly<Record<string, string | null>> = {
  'fd00:ec2::254': 'metadata service',
  'fd20:ce::254': 'metadata service',
  'fe80::1': 'link-local',
  'fe80::a9fe:a9fe': 'link-local',
  'febf::1': 'link-local',
  'fe80::1%eth0': 'link-local',
  'ff02::1': 'multicast',
  '::': 'unspecified',
  '0:0:0:0:0:0:0:0': 'unspecified',
  '::1': 'loopback',
  '0000::0001': 'loopback',
  '::2': 'reserved',
  '::8.8.8.8': 'reserved',
  '64:ff9b:1::8.8.8.8': 'reserved',
  '100::1': 'reserved',
  '2001:2::1': 'reserved',
  '2001:db8::1': 'reserved',
  '3fff::1': 'reserved',
  '4000::1': 'reserved',
  '5f00::1': 'reserved',
  '8000::1': 'reserved',
  'fec0::1': 'reserved',
  'f800::1': 'reserved',
  'fd00::1': null,
  'fc00::1': null,
  '2001:200::1': null,
  '2001:4860:4860::8888': null,
  '2606:4700:4700::1111': null,
  '2620:fe::fe': null,
}

/** How an IPv4 address is written within an IPv6 address. */
const FORMS: Readonly<Record<string, (ipv4: string) => string>> = {
  'IPv4-mapped': (ipv4) => `::ffff:${ipv4}`,
  'IPv4-mapped, in hexadecimal': (ipv4) => `::ffff:${hex(ipv4)}`,
  'IPv4-translated': (ipv4) => `::ffff:0:${ipv4}`,
  NAT64: (ipv4) => `64:ff9b::${ipv4}`,
  '6to4': (ipv4) => `2002:${hex(ipv4)}::1`,
  ISATAP: (ipv4) => `2600:1:2:3:0:5efe:${ipv4}`,
  'ISATAP, global': (ipv4) => `2600:1:2:3:200:5efe:${ipv4}`,
}

/** As above; nothing is sent to addresses of these kinds anyway, unless the operator allows it. */
const CLOSED_FORMS: Readonly<Record<string, (ipv4: string) => string>> = {
  'IPv4-compatible': (ipv4) => `::${ipv4}`,
  'NAT64 of its own /96': (ipv4) => `64:ff9b:1::${ipv4}`,
  'NAT64 of its own /48': (ipv4) => `64:ff9b:1:${hex(ipv4).replace(/(.*):(..)(..)$/, '$1:$2:$300')}::`,
  'NAT64 of its own /64': (ipv4) => `64:ff9b:1:0:${spread(ipv4)}::`,
  'Teredo server': (ipv4) => `2001:0:${hex(ipv4)}:0:0:f7f7:f7f7`,
  'Teredo client': (ipv4) => `2001:0:808:808:0:0:${hex(ipv4, 0xff)}`,
}

function hex(ipv4: string, invert = 0): string {
  const [a, b, c, d] = ipv4.split('.').map((byte) => (Number(byte) ^ invert).toString(16).padStart(2, '0'))
  return `${a}${b}:${c}${d}`
}

/** Behind a /64 the address stands after one byte of zeros. */
function spread(ipv4: string): string {
  const [a, b, c, d] = ipv4.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'))
  return `${a}:${b}${c}:${d}00`
}

describe('nothing is sent to', () => {
  test('addresses of certain networks', () => {
    const judge = judgeWith()
    for (const [address, reason] of Object.entries({ ...IPV4, ...IPV6 })) assert.equal(judge(address), reason, address)
  })

  test('the same addresses within IPv6', () => {
    const judge = judgeWith()
    for (const [form, write] of Object.entries(FORMS)) {
      for (const [ipv4, reason] of Object.entries(IPV4)) {
        assert.equal(judge(write(ipv4)), reason, `${form} ${write(ipv4)}`)
      }
    }
    for (const [form, write] of Object.entries(CLOSED_FORMS)) {
      for (const ipv4 of Object.keys(IPV4)) assert.notEqual(judge(write(ipv4)), null, `${form} ${write(ipv4)}`)
    }
  })

  test('what is never sent to, even where all is allowed', () => {
    const judge = judgeWith({ allowLoopback: true, allow: ['0.0.0.0/0', '::/0'] })
    const never = ['metadata service', 'link-local', 'multicast', 'unspecified', 'broadcast']
    for (const [address, reason] of Object.entries({ ...IPV4, ...IPV6 })) {
      assert.equal(judge(address), never.includes(String(reason)) ? reason : null, address)
    }
    for (const [form, write] of Object.entries({ ...FORMS, ...CLOSED_FORMS })) {
      for (const [ipv4, reason] of Object.entries(IPV4)) {
        // An IPv4-compatible 0.x.y.z is an address of no network at all, and no NAT64 has one behind it.
        if (reason === 'unspecified' && form in CLOSED_FORMS) continue
        assert.equal(judge(write(ipv4)), never.includes(String(reason)) ? reason : null, `${form} ${write(ipv4)}`)
      }
    }
  })

  test('what is no address', () => {
    for (const text of ['', 'localhost', '1.2.3', '0x7f.1', '1.2.3.4/8', '[::1]', '::g']) {
      assert.equal(judgeWith()(text), 'no address', text)
    }
  })
})

describe('the operator', () => {
  test('lets loopback addresses through where the service is there as well', () => {
    const judge = judgeWith({ allowLoopback: true })
    for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) assert.equal(judge(address), null, address)
    assert.equal(judge('0.0.0.0'), 'unspecified')
  })

  test('cannot open loopback by allowing the network', () => {
    assert.equal(judgeWith({ allow: ['127.0.0.0/8', '::1'] })('127.0.0.1'), 'loopback')
  })

  test('allows reserved networks, or parts of them', () => {
    const judge = judgeWith({ allow: ['100.64.0.0/16', '2001:db8:1::/48', '203.0.113.7'] })
    for (const address of ['100.64.1.1', '::ffff:100.64.1.1', '2001:db8:1::1', '203.0.113.7']) {
      assert.equal(judge(address), null, address)
    }
    for (const address of ['100.65.1.1', '64:ff9b::100.65.1.1', '2001:db8:2::1', '203.0.113.8']) {
      assert.equal(judge(address), 'reserved', address)
    }
  })

  test('denies networks, also within IPv6, and denying wins', () => {
    const judge = judgeWith({
      allowLoopback: true,
      allow: ['10.0.0.0/8'],
      deny: ['10.0.0.0/8', 'fd00::/8', '127.0.0.2'],
    })
    for (const address of [
      '10.1.2.3',
      '::ffff:10.1.2.3',
      '64:ff9b::a01:203',
      '2002:a01:203::',
      'fd01::1',
      '127.0.0.2',
    ]) {
      assert.equal(judge(address), 'denied', address)
    }
    for (const address of ['11.0.0.1', '192.168.0.1', '127.0.0.1', 'fc00::1'])
      assert.equal(judge(address), null, address)
  })

  test('speaks of one family at a time', () => {
    assert.equal(judgeWith({ deny: ['::/0'] })('8.8.8.8'), null)
    assert.equal(judgeWith({ deny: ['::/0'] })('2600::1'), 'denied')
    assert.equal(judgeWith({ deny: ['::/0'] })('::ffff:8.8.8.8'), 'denied')
    assert.equal(judgeWith({ deny: ['0.0.0.0/0'] })('2600::1'), null)
    assert.equal(judgeWith({ allow: ['::/0'] })('240.0.0.1'), 'reserved')
  })
})
