import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeOnMachine, PACKAGE, type Ran } from '../support/machine.ts'

const CONF = '/etc/zaqar/zaqar.conf'
const PASSWORD = 'not-to-be-shown'
const config = {
  DEFAULT: { debug: true },
  'drivers:transport:wsgi': { port: 8899 },
  transport: { max_messages_post_size: 300_000, subscriber_types: ['https', 'mailto'] },
  metrics: { scrape_token: PASSWORD },
}

describeOnMachine('the role of Ansible', 'ansible', (machine) => {
  function play(zaqar_config: object, further: object = {}): Ran {
    const variables = { zaqar_deb: PACKAGE, zaqar_config, ...further }
    const where = ['--inventory', 'zaqar,', '--connection', 'local', '--diff', '-v']
    const role = '/opt/repository/test/deploy/play.yml'
    return machine.try('ansible-playbook', ...where, '--extra-vars', JSON.stringify(variables), role)
  }

  test('installs and configures the service, which serves then', () => {
    const { status, output } = play(config)
    assert.equal(status, 0, output)
    assert.match(output, / changed=[1-9]\d* .* failed=0 /)
    assert.equal(machine.run('stat', '--format=%U:%G %a', CONF), 'root:zaqar 640\n')
    const conf = machine.run('cat', CONF)
    for (const line of ['debug = true', 'max_messages_post_size = 300000', 'subscriber_types = https, mailto']) {
      assert.ok(conf.includes(`\n${line}\n`), conf)
    }
    assert.equal(machine.run('systemctl', 'is-enabled', 'zaqar'), 'enabled\n')
    machine.answers(8899)
  })

  test('changes nothing the second time', () => {
    const { status, output } = play(config)
    assert.equal(status, 0, output)
    assert.match(output, / changed=0 .* failed=0 /)
  })

  test('restarts the service with what has changed, the unit among it, and shows no passwords', () => {
    const changed = { 'drivers:transport:wsgi': { port: 8898 }, metrics: { scrape_token: `${PASSWORD}-2` } }
    const unit = { zaqar_unit_dropin: '[Service]\nEnvironment=OS_DEFAULT__DEBUG=false' }
    const { status, output } = play({ ...config, ...changed }, unit)
    assert.equal(status, 0, output)
    assert.ok(!output.includes(PASSWORD), output)
    machine.answers(8898)
    assert.match(machine.run('systemctl', 'show', '--property=Environment', 'zaqar'), /OS_DEFAULT__DEBUG=false/)
  })

  test('leaves a service alone that could not use what it is told, and says why', () => {
    const before = machine.run('cat', CONF)
    const { status, output } = play({ transport: { max_message_ttl: 'long' } })
    assert.notEqual(status, 0)
    assert.match(output, /max_message_ttl/)
    assert.equal(machine.run('cat', CONF), before)
    machine.answers(8898)
  })
})
