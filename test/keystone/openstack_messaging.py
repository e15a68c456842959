"""Every command of `openstack messaging` (python3-openstackclient with the plugin of python3-zaqarclient).

Run by the function behind /usr/bin/openstack, each in a fork of this process: it keeps who it has been started for, and to
start Python for each command would take a minute.
"""

import contextlib
import importlib.metadata
import io
import json
import multiprocessing
import os
import shlex
import unittest

from openstackclient import shell

CLIENT = '30387f00-39a0-11e2-be4d-a8d15f34bae2'


class Failed(Exception):
    pass


commands = {
    entry.name.replace('messaging_', '', 1).replace('_', ' ')
    for entry in importlib.metadata.entry_points(group='openstack.messaging.v2')
    if entry.name.startswith('messaging_')
}
used = set()


def run(arguments):
    with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.redirect_stderr(io.StringIO()) as complaint:
        return shell.main(arguments), output.getvalue(), complaint.getvalue()


# Asks nobody anything, but imports what the forks need.
run(['complete'])
forks = multiprocessing.get_context('fork').Pool(1, maxtasksperchild=1)


def messaging(line, user='rita'):
    """What the command prints; raises with what it complains of."""
    used.update(command for command in commands if (line + ' ').startswith(command + ' '))
    # With a password, as a person would: each command gets a token of its own.
    code, output, complaint = forks.apply(run, [['--os-username', user, 'messaging', *shlex.split(line)]])
    if code != 0:
        raise Failed(complaint)
    return output


def shown(line, user='rita'):
    """The same, for a command that shows rows or one thing."""
    return json.loads(messaging(line + ' -f json', user))


class MessagingTest(unittest.TestCase):

    def queue(self, name):
        messaging('queue create ' + name)
        self.addCleanup(messaging, 'queue delete ' + name)
        return name

    def pool(self, name):
        pool = shown('pool create %s sqlite:%s/%s.db 10' % (name, os.environ['ZAQAR_DATA_DIR'], name), 'ada')
        self.addCleanup(messaging, 'pool delete ' + name, 'ada')
        return pool

    def names(self, line, user='rita'):
        return [row['Name'] for row in shown(line, user)]

    def test_service(self):
        self.assertEqual({'Pingable': True}, shown('ping'))
        self.assertIn('rel/queues', ' '.join(json.loads(messaging('homedoc'))['resources']))
        self.assertIn('catalog_reachable', json.loads(messaging('health', 'ada')))

    def test_queues(self):
        messaging('queue create one')
        self.queue('two')
        self.assertEqual(['one', 'two'], self.names('queue list --marker on'))
        self.assertEqual(['two'], self.names('queue list --marker one --limit 1'))
        self.assertIn('Queues in total: ', messaging('queue list --with_count'))
        messaging("""queue set metadata two '{"color": "red"}'""")
        self.assertEqual('red', shown('queue get metadata two')['Metadata']['color'])
        [row] = shown('queue list --detailed --marker one')
        self.assertEqual(('red', '/v2/queues/two'), (row['Metadata_Dict']['color'], row['Href']))
        messaging('queue delete one')
        self.assertEqual(['two'], self.names('queue list --marker on'))

    def test_messages(self):
        queue = self.queue('letters')
        post = """message post letters '[{"body": "a", "ttl": 300}, {"body": {"b": 1}, "ttl": 300}]' --client-id """
        messaging(post + CLIENT)
        listing = 'message list letters --client-id %s --echo' % CLIENT
        first, second = shown(listing)
        self.assertEqual(('a', {'b': 1}, 300), (first['Body'], second['Body'], first['TTL']))
        self.assertEqual([], shown('message list letters --client-id ' + CLIENT))
        self.assertEqual(['a'], [row['Body'] for row in shown('%s --message-ids %s' % (listing, first['ID']))])
        self.assertEqual(2, shown('queue stats ' + queue)['Stats']['messages']['free'])
        messaging('queue purge letters --resource_types messages')
        self.assertEqual([], shown(listing))

    def test_claims(self):
        self.queue('jobs')
        messaging("""message post jobs '[{"body": "a"}, {"body": "b"}]' --client-id """ + CLIENT)
        [claimed] = shown('claim create jobs --ttl 100 --grace 60 --limit 1')
        self.assertEqual('a', claimed['Messages'])
        claim = 'jobs ' + claimed['Claim_ID']
        self.assertEqual([claimed['Message_ID']], [row['Message_ID'] for row in shown('claim query ' + claim)])
        self.assertEqual(['a'], [row['Message'] for row in shown('claim renew %s --ttl 200' % claim)])
        self.assertEqual(['b'], [row['Messages'] for row in shown('claim create jobs')])
        messaging('claim release ' + claim)
        self.assertEqual(['a'], [row['Messages'] for row in shown('claim create jobs')])

    def test_subscriptions(self):
        self.queue('news')
        made = shown("""subscription create news http://192.0.2.1/ 600 --options '{"from": "me"}'""")
        subscription = 'news ' + made['ID']
        self.assertEqual(('http://192.0.2.1/', 600), (made['Subscriber'], made['TTL']))
        messaging('subscription update %s --subscriber http://192.0.2.2/ --ttl 700' % subscription)
        row = shown('subscription show ' + subscription)
        self.assertEqual(('http://192.0.2.2/', 700), (row['Subscriber'], row['TTL']))
        self.assertEqual([made['ID']], [row['ID'] for row in shown('subscription list news')])
        messaging('subscription delete ' + subscription)
        self.assertEqual([], shown('subscription list news'))

    def test_signed_url(self):
        signed = shown('queue signed url letters --paths messages,claims --ttl-seconds 60 --methods GET,POST')
        self.assertEqual('/v2/queues/letters/claims,/v2/queues/letters/messages', signed['Paths'])
        self.assertEqual(('GET,POST', os.environ['RED']), (signed['Methods'], signed['Project ID']))
        self.assertRegex(signed['Signature'], '^[0-9a-f]{64}$')

    def test_pools_and_flavors(self):
        self.assertEqual(10, self.pool('east')['Weight'])
        self.pool('west')
        self.assertEqual(20, shown('pool update east --pool_weight 20', 'ada')['Weight'])
        self.assertEqual(20, shown('pool show east', 'ada')['Weight'])
        self.assertEqual(['east', 'west'], self.names('pool list', 'ada'))
        messaging('flavor create gold --pool_list east', 'ada')
        self.assertEqual(['gold'], self.names('flavor list', 'ada'))
        messaging('flavor update gold --pool_list west', 'ada')
        self.assertIn('FIFO', shown('flavor show gold', 'ada')['Capabilities'])
        [flavor] = shown('flavor list --detailed', 'ada')
        self.assertEqual(['west'], flavor['Pool list'])
        self.queue('placed')
        messaging('''message post placed '[{"body": "a"}]' --client-id ''' + CLIENT)
        self.assertEqual(1, shown('queue stats placed')['Stats']['messages']['free'])
        with self.assertRaisesRegex(Failed, 'Pool east holds queues'):
            messaging('pool delete east', 'ada')
        messaging('flavor delete gold', 'ada')
        self.assertEqual([], self.names('flavor list', 'ada'))
        messaging('pool delete west', 'ada')
        self.assertEqual(['east'], self.names('pool list', 'ada'))

    def test_says_why_it_may_not(self):
        for line, user in [('pool list', 'rita'), ('health', 'rita'), ('queue delete two', 'rex')]:
            with self.assertRaisesRegex(Failed, 'You are not authorized to complete this action', msg=line):
                messaging(line, user)

    @classmethod
    def tearDownClass(cls):
        assert commands and used == commands, commands - used


if __name__ == '__main__':
    unittest.main()
