"""Subscriptions by python-zaqarclient against the service at ZAQAR_URL."""

import os
import unittest
import uuid

from zaqarclient.queues import client as zaqar
from zaqarclient.transport import errors

HOOK = 'https://hook.example/'


class SubscriptionTest(unittest.TestCase):

    def setUp(self):
        auth = {'backend': 'noauth', 'options': {'os_project_id': 'p1'}}
        self.client = zaqar.Client(os.environ['ZAQAR_URL'], version=2, conf={'auth_opts': auth})
        self.name = 'queue-' + uuid.uuid4().hex
        self.addCleanup(self.client.queue(self.name, auto_create=False).delete)

    def subscribe(self, path='', **terms):
        return self.client.subscription(self.name, subscriber=HOOK + path, **terms)

    def test_creates_and_shows(self):
        created = self.subscribe(ttl=600, options={'post_headers': {'X-A': 'b'}})
        shown = self.client.subscription(self.name, id=created.id)
        self.assertEqual((HOOK, 600, 0), (shown.subscriber, shown.ttl, shown.age))
        self.assertEqual({'post_headers': {'X-A': 'b'}}, shown.options)
        self.assertIs(False, shown.confirmed)

    def test_subscribes_once(self):
        self.assertEqual(self.subscribe(ttl=600).id, self.subscribe(ttl=900).id)

    def test_lists_page_by_page(self):
        expected = {self.subscribe(str(number)).id for number in range(25)}
        listed = [one.id for one in self.client.subscriptions(self.name, limit=10).stream()]
        self.assertEqual(sorted(expected), listed)
        [first, *_] = self.client.subscriptions(self.name)
        self.assertEqual((self.name, 60, False), (first.queue_name, first.ttl, first.confirmed))

    def test_lists_nothing(self):
        self.assertEqual([], list(self.client.subscriptions(self.name).stream()))

    def test_updates(self):
        subscription = self.subscribe()
        subscription.update({'ttl': 1000, 'subscriber': HOOK + 'new', 'options': {'a': 1}})
        shown = self.client.subscription(self.name, id=subscription.id)
        self.assertEqual((HOOK + 'new', 1000, {'a': 1}), (shown.subscriber, shown.ttl, shown.options))

    def test_deletes(self):
        subscription = self.subscribe()
        subscription.delete()
        self.assertRaises(errors.ResourceNotFound, self.client.subscription, self.name, id=subscription.id)
        self.assertRaises(errors.ResourceNotFound, subscription.update, {'ttl': 60})

    def test_says_what_is_wrong(self):
        with self.assertRaises(errors.MalformedRequest) as raised:
            self.client.subscription(self.name, subscriber='ftp://hook.example/')
        self.assertIn('trust+https', str(raised.exception))
        self.assertRaises(errors.MalformedRequest, self.subscribe, ttl=59)
        self.subscribe('taken')
        self.assertRaises(errors.ConflictError, self.subscribe().update, {'subscriber': HOOK + 'taken'})


if __name__ == '__main__':
    unittest.main()
