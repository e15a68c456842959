"""python-zaqarclient with API versions 1 and 1.1 against the service at ZAQAR_URL: the version is in ZAQAR_API_VERSION."""

import os
import unittest
import uuid

from zaqarclient.queues import client as zaqar
from zaqarclient.transport import errors

VERSION = float(os.environ['ZAQAR_API_VERSION'])


def connect(project='p1'):
    auth = {'backend': 'noauth', 'options': {'os_project_id': project}}
    return zaqar.Client(os.environ['ZAQAR_URL'], version=VERSION, conf={'auth_opts': auth})


def connect_admin():
    """Without authentication the client has no way to say which roles it has, so each request is told."""
    client = connect()
    plain = client._request_and_transport

    def request_and_transport():
        request, transport = plain()
        request.headers['X-Roles'] = 'admin'
        return request, transport

    client._request_and_transport = request_and_transport
    return client


class BothVersions:

    def setUp(self):
        self.client = connect()
        self.name = 'queue-' + uuid.uuid4().hex
        self.queue = self.client.queue(self.name, force_create=True)
        self.addCleanup(self.queue.delete)

    def bodies(self, messages):
        return [message.body for message in messages]

    def post(self, *bodies, **fields):
        return self.queue.post([dict({'ttl': 300}, body=body, **fields) for body in bodies])

    def ids(self, answer):
        return [href.split('/')[-1] for href in answer['resources']]

    def test_lists_queues(self):
        client = connect('project-' + uuid.uuid4().hex)
        self.assertEqual([], list(client.queues()))
        names = ['queue-%02d' % number for number in range(25)]
        for name in names:
            client.queue(name, force_create=True)
        listed = list(client.queues(limit=10, detailed=True).stream())
        self.assertEqual(names, [queue.name for queue in listed])

    def test_posts_and_lists(self):
        answer = self.post({'task': 7}, 'text', None, ['Grüße'], 1.5)
        messages = list(self.queue.messages(echo=True))
        self.assertEqual([{'task': 7}, 'text', None, ['Grüße'], 1.5], self.bodies(messages))
        self.assertEqual({300}, {message.ttl for message in messages})
        self.assertEqual(answer['resources'], [message.href for message in messages])

    def test_hides_its_own_messages(self):
        self.post('mine')
        self.assertEqual([], list(self.queue.messages()))
        self.assertEqual(['mine'], self.bodies(connect().queue(self.name).messages()))

    def test_follows_links_to_the_end(self):
        for first in range(0, 60, 20):
            self.post(*range(first, first + 20))
        self.assertEqual(list(range(60)), self.bodies(self.queue.messages(echo=True, limit=7).stream()))

    def test_gets_messages(self):
        ids = self.ids(self.post('a', 'b', 'c'))
        self.assertEqual('b', self.queue.message(ids[1]).body)
        self.assertEqual({'a', 'c'}, set(self.bodies(self.queue.messages(ids[0], ids[2]))))
        self.assertRaises(errors.ResourceNotFound, self.queue.message, 'nonsense')

    def test_deletes_messages(self):
        ids = self.ids(self.post('a', 'b', 'c', 'd'))
        self.queue.message(ids[0]).delete()
        self.queue.delete_messages(ids[1], ids[2])
        self.assertEqual(['d'], self.bodies(self.queue.messages(echo=True)))

    def test_claims(self):
        self.post('a', 'b', 'c')
        claim = self.queue.claim(ttl=120, grace=90, limit=2)
        messages = list(claim)
        self.assertEqual(['a', 'b'], self.bodies(messages))
        self.assertEqual({claim.id}, {message.claim_id for message in messages})
        self.assertEqual(['a', 'b'], self.bodies(self.queue.claim(id=claim.id)))
        self.assertIn(claim.age, (0, 1))
        claim.update(ttl=300, grace=60)
        self.assertEqual(300, self.queue.claim(id=claim.id).ttl)
        messages[0].delete()
        claim.delete()
        self.assertEqual(['b', 'c'], self.bodies(self.queue.claim(ttl=60, grace=60)))
        self.assertRaises(errors.ResourceNotFound, getattr, claim, 'age')

    def test_claims_nothing(self):
        claim = self.queue.claim(ttl=60, grace=60)
        self.assertIsNone(claim.id)
        self.assertEqual([], list(claim))

    def test_stats(self):
        self.assertEqual({'claimed': 0, 'free': 0, 'total': 0}, self.queue.stats['messages'])
        self.post('a', 'b', 'c')
        self.queue.claim(ttl=60, grace=60, limit=1)
        stats = self.queue.stats['messages']
        self.assertEqual((1, 2, 3), (stats['claimed'], stats['free'], stats['total']))
        self.assertEqual({'age', 'created', 'href'}, set(stats['oldest']))

    def test_pools(self):
        client = connect_admin()
        name = 'pool-' + uuid.uuid4().hex
        pool = client.pool(name, uri='sqlite:%s/%s.db' % (os.environ['ZAQAR_DATA_DIR'], name), weight=10)
        self.addCleanup(pool.delete)
        pool.update({'weight': 20})
        shown = pool.get()
        self.assertEqual((20, None, '/v%g/pools/%s' % (VERSION, name)), (shown['weight'], shown['flavor'], shown['href']))
        self.assertIn(name, [one.name for one in client.pools(limit=5).stream()])
        pool.delete()
        self.assertRaises(errors.ResourceNotFound, pool.get)

    def test_says_what_is_wrong(self):
        with self.assertRaises(errors.MalformedRequest) as raised:
            self.post('x' * 300000)
        self.assertIn('262144', str(raised.exception))


class Version1(BothVersions, unittest.TestCase):

    def test_health(self):
        self.assertTrue(self.client.health())

    def test_exists(self):
        self.assertTrue(self.queue.exists())
        self.assertFalse(self.client.queue('missing', auto_create=False).exists())

    def test_replaces_metadata(self):
        self.assertEqual({}, self.queue.metadata())
        self.queue.metadata({'owner': 'batch'})
        self.queue.metadata({'size': {'x': [1, None]}})
        self.assertEqual({'size': {'x': [1, None]}}, self.queue.metadata(force_reload=True))
        self.assertRaises(errors.MalformedRequest, self.queue.metadata, {'_default_message_ttl': 600})

    def test_posts_not_into_a_missing_queue(self):
        missing = self.client.queue('missing', auto_create=False)
        self.assertRaises(errors.ResourceNotFound, missing.post, {'ttl': 60, 'body': 1})
        self.assertRaises(errors.ResourceNotFound, getattr, missing, 'stats')


class Version1_1(BothVersions, unittest.TestCase):

    def test_posts_into_a_missing_queue(self):
        missing = self.client.queue('missing-' + uuid.uuid4().hex)
        self.addCleanup(missing.delete)
        missing.post({'body': 1})
        self.assertEqual([3600], [message.ttl for message in missing.messages(echo=True)])

    def test_shows_metadata(self):
        self.assertEqual({}, self.queue.metadata())

    def test_pops(self):
        self.post('a', 'b', 'c')
        self.assertEqual(['a', 'b'], self.bodies(self.queue.pop(count=2)))
        self.assertEqual(['c'], self.bodies(self.queue.pop()))
        self.assertEqual([], list(self.queue.pop()))


if __name__ == '__main__':
    unittest.main(defaultTest={1: 'Version1', 1.1: 'Version1_1'}[VERSION])
