"""python-zaqarclient with API version 2 against the service at ZAQAR_URL."""

import os
import unittest
import uuid

from zaqarclient.queues import client as zaqar
from zaqarclient.transport import errors


def connect(project='p1'):
    auth = {'backend': 'noauth', 'options': {'os_project_id': project}}
    return zaqar.Client(os.environ['ZAQAR_URL'], version=2, conf={'auth_opts': auth})


class ZaqarClientTest(unittest.TestCase):

    def setUp(self):
        self.client = connect()
        self.name = 'queue-' + uuid.uuid4().hex
        self.queue = self.client.queue(self.name, force_create=True)
        self.addCleanup(self.queue.delete)

    def bodies(self, messages):
        return [message.body for message in messages]

    def post(self, *bodies, **fields):
        return self.queue.post([dict(fields, body=body) for body in bodies])

    def test_ping(self):
        self.assertTrue(self.client.ping())

    def test_home_document(self):
        self.assertIn('rel/queues', self.client.homedoc()['resources'])

    def test_lists_queues(self):
        client = connect('project-' + uuid.uuid4().hex)
        names = ['queue-%02d' % number for number in range(25)]
        for name in names:
            client.queue(name, force_create=True)
        first_page, count = client.queues(limit=10, with_count=True, detailed=True)
        self.assertEqual(25, count)
        listed = list(first_page.stream())
        self.assertEqual(names, [queue.name for queue in listed])
        self.assertEqual('/v2/queues/queue-00', listed[0].href)
        self.assertEqual(3600, listed[0].metadata_dict['_default_message_ttl'])

    def test_lists_no_queues(self):
        queues, count = connect('nobody').queues(with_count=True)
        self.assertEqual([], list(queues.stream()))
        self.assertIsNone(count)

    def test_replaces_metadata(self):
        self.assertEqual(262144, self.queue.metadata()['_max_messages_post_size'])
        shown = self.queue.metadata({'owner': 'batch', '_default_message_ttl': 600})
        self.assertEqual('batch', shown['owner'])
        self.assertEqual(600, shown['_default_message_ttl'])
        shown = self.queue.metadata({'_default_message_ttl': 700, 'size': {'x': [1, None]}})
        self.assertNotIn('owner', shown)
        self.assertEqual(700, shown['_default_message_ttl'])
        self.assertEqual({'x': [1, None]}, self.queue.metadata(force_reload=True)['size'])
        self.assertEqual(3600, self.queue.metadata({})['_default_message_ttl'])

    def test_metadata_of_a_missing_queue(self):
        missing = self.client.queue('missing-' + uuid.uuid4().hex)
        self.assertEqual(3600, missing.metadata()['_default_message_ttl'])
        self.assertRaises(errors.ResourceNotFound, missing.metadata, {'owner': 'batch'})

    def test_posts_and_lists(self):
        answer = self.post({'task': 7}, 'text', None, ['Grüße'], 1.5, ttl=300)
        self.assertEqual(5, len(answer['resources']))
        messages = list(self.queue.messages(echo=True))
        self.assertEqual([{'task': 7}, 'text', None, ['Grüße'], 1.5], self.bodies(messages))
        self.assertEqual({300}, {message.ttl for message in messages})
        self.assertEqual([None] * 5, [message.claim_id for message in messages])
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
        ids = [href.split('/')[-1] for href in self.post('a', 'b', 'c')['resources']]
        self.assertEqual('b', self.queue.message(ids[1]).body)
        self.assertEqual({'a', 'c'}, set(self.bodies(self.queue.messages(ids[0], ids[2]))))
        self.assertRaises(errors.ResourceNotFound, self.queue.message, 'nonsense')

    def test_deletes_messages(self):
        ids = [href.split('/')[-1] for href in self.post('a', 'b', 'c', 'd')['resources']]
        self.queue.message(ids[0]).delete()
        self.queue.delete_messages(ids[1], ids[2])
        self.assertEqual(['d'], self.bodies(self.queue.messages(echo=True)))

    def test_pops(self):
        self.post('a', 'b', 'c')
        popped = list(self.queue.pop(count=2))
        self.assertEqual(['a', 'b'], self.bodies(popped))
        self.assertEqual([0, 0], [message.claim_count for message in popped])
        self.assertEqual(['c'], self.bodies(self.queue.pop()))
        self.assertEqual([], list(self.queue.pop()))

    def test_claims(self):
        self.post('a', 'b', 'c')
        claim = self.queue.claim(ttl=120, grace=90, limit=2)
        messages = list(claim)
        self.assertEqual(['a', 'b'], self.bodies(messages))
        self.assertEqual({claim.id}, {message.claim_id for message in messages})
        self.assertEqual(['a', 'b'], self.bodies(self.queue.claim(id=claim.id)))
        self.assertEqual(120, self.queue.claim(id=claim.id).ttl)
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

    def test_may_not_delete_what_others_hold(self):
        self.post('a')
        [held] = self.queue.claim(ttl=60, grace=60)
        [seen] = self.queue.messages(echo=True, include_claimed=True)
        self.assertEqual(held.claim_id, seen.claim_id)
        seen.href = seen.href.split('?')[0]
        self.assertRaises(errors.ForbiddenError, seen.delete)

    def test_stats(self):
        self.assertEqual({'claimed': 0, 'free': 0, 'total': 0}, self.queue.stats['messages'])
        self.post('a', 'b', 'c')
        self.queue.claim(ttl=60, grace=60, limit=1)
        stats = self.queue.stats['messages']
        self.assertEqual((1, 2, 3), (stats['claimed'], stats['free'], stats['total']))
        self.assertEqual({'age', 'created', 'href'}, set(stats['oldest']))

    def test_purges(self):
        self.post('a', 'b')
        self.queue.claim(ttl=60, grace=60, limit=1)
        self.queue.purge()
        self.post('c')
        self.queue.purge(resource_types=['subscriptions'])
        self.assertEqual(['c'], self.bodies(self.queue.messages(echo=True, include_claimed=True)))
        self.queue.purge(resource_types=['messages'])
        self.assertEqual(0, self.queue.stats['messages']['total'])

    def test_says_what_is_wrong(self):
        with self.assertRaises(errors.MalformedRequest) as raised:
            self.post('a', ttl=5)
        self.assertIn('1209600', str(raised.exception))
        with self.assertRaises(errors.MalformedRequest) as raised:
            self.post('x' * 300000)
        self.assertIn('262144', str(raised.exception))


if __name__ == '__main__':
    unittest.main()
