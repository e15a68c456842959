import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeOnMachine, PACKAGE, type Ran } from '../support/machine.ts'

const CONF = '/etc/zaqar/zaqar.conf'
const PASSWORD = 'not-to-be-shown'
/** Exit codes of `puppet apply --detailed-exitcodes`. */
const NOTHING_CHANGED = 0
const CHANGED = 2

describeOnMachine('the module of Puppet', 'puppet', (machine) => {
  /** Applies the class with these parameters, behind further classes. */
  function apply(parameters: string, further = ''): Ran {
    const code = `
      ${further}
      class { 'zaqar':
        package_source => '${PACKAGE}',
        ${parameters}
      }
      include zaqar::server`
    const flags = [
      '--modulepath',
      '/opt/repository/deploy/puppet',
      '--detailed-exitcodes',
      '--show_diff',
      '--strict=error',
    ]
    return machine.try('puppet', 'apply', ...flags, '--execute', code)
  }

  const alone = `
    auth_strategy          => '',
    max_messages_post_size => 300000,
    config                 => {
      'drivers:transport:wsgi' => { 'port' => 8899 },
      'transport'              => { 'subscriber_types' => ['https', 'mailto'] },
      'metrics'                => { 'scrape_token' => Sensitive('${PASSWORD}') },
    },`

  test('installs and configures the service, which serves then', () => {
    const { status, output } = apply(alone)
    assert.equal(status, CHANGED, output)
    assert.ok(!output.includes(PASSWORD), output)
    assert.equal(machine.run('stat', '--format=%U:%G %a', CONF), 'root:zaqar 640\n')
    const conf = machine.run('cat', CONF)
    for (const line of [
      'max_messages_post_size = 300000',
      'subscriber_types = https, mailto',
      `scrape_token = ${PASSWORD}`,
    ]) {
      assert.ok(conf.includes(`\n${line}\n`), conf)
    }
    assert.equal(machine.run('systemctl', 'is-enabled', 'zaqar'), 'enabled\n')
    machine.answers(8899)
  })

  test('changes nothing the second time', () => {
    const { status, output } = apply(alone)
    assert.equal(status, NOTHING_CHANGED, output)
  })

  test('leaves a service alone that could not use what it is told, and says why', () => {
    const before = machine.run('cat', CONF)
    const { output } = apply(`auth_strategy => '', config => { 'transport' => { 'max_message_ttl' => 'long' } },`)
    assert.match(output, /max_message_ttl/)
    assert.equal(machine.run('cat', CONF), before)
    machine.answers(8899)
  })

  test('restarts the service with what has changed: Keystone, with the parameters of the module of OpenStack', () => {
    const account = `class { 'zaqar::keystone::authtoken': auth_url => 'http://127.0.0.1:5000', password => Sensitive('${PASSWORD}') }`
    const { status, output } = apply('', account)
    assert.equal(status, CHANGED, output)
    const conf = machine.run('cat', CONF)
    assert.match(conf, /^auth_strategy = keystone$/m)
    for (const line of [`password = ${PASSWORD}`, 'username = zaqar', 'project_name = services']) {
      assert.ok(conf.split('[keystone_authtoken]')[1]?.includes(`\n${line}\n`), conf)
    }
    assert.match(machine.run('curl', '--silent', '--include', 'http://127.0.0.1:8888/readyz'), /^HTTP\/1\.1 200 /)
  })
})
