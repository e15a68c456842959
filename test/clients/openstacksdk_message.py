"""The message proxy of openstacksdk against the service at ZAQAR_URL."""

import os
import unittest
import uuid

from keystoneauth1 import noauth
from keystoneauth1 import session
from openstack import connection
from openstack import exceptions
from openstack.message.v2 import _proxy
from openstack.message.v2 import claim as _claim


class ProjectOnly(noauth.NoAuth):
    """No authentication, but the proxy asks for a project."""

    def get_project_id(self, session, **kwargs):
        return 'p1'


def connect():
    anybody = session.Session(auth=ProjectOnly())
    return connection.Connection(session=anybody, messaging_endpoint_override=os.environ['ZAQAR_URL']).message


class MessageProxyTest(unittest.TestCase):

    def setUp(self):
        self.proxy = connect()
        self.name = 'queue-' + uuid.uuid4().hex
        self.proxy.create_queue(name=self.name)
        self.addCleanup(self.proxy.delete_queue, self.name)

    def post(self, *bodies):
        return self.proxy.post_message(self.name, [{'body': body, 'ttl': 300} for body in bodies])

    def bodies(self, **query):
        return [message.body for message in self.proxy.messages(self.name, **query)]

    # The proxy's create_claim and get_claim fail on any server: a resource that knows its connection overwrites the Location
    # that the id of the claim is taken from. One that does not know it is what they would use.
    def create_claim(self, **terms):
        return _claim.Claim.new(queue_name=self.name, **terms).create(self.proxy)

    def get_claim(self, id):
        return _claim.Claim.new(queue_name=self.name, id=id).fetch(self.proxy)

    def test_finds_version_2_by_the_document_of_all_versions(self):
        self.assertIsInstance(self.proxy, _proxy.Proxy)
        self.assertEqual(os.environ['ZAQAR_URL'] + '/v2/', self.proxy.get_endpoint())

    def test_queues(self):
        name = 'queue-' + uuid.uuid4().hex
        self.proxy.create_queue(name=name, default_message_ttl=600, description='jobs')
        shown = self.proxy.get_queue(name)
        self.assertEqual(600, shown.default_message_ttl)
        self.assertEqual(262144, shown.max_messages_post_size)
        self.assertEqual('jobs', shown.description)
        self.assertIn(name, [queue.name for queue in self.proxy.queues(limit=20)])
        self.proxy.delete_queue(name)
        self.assertNotIn(name, [queue.name for queue in self.proxy.queues(limit=20)])

    def test_posts_and_lists_page_by_page(self):
        hrefs = self.post(*range(25))
        self.assertEqual(25, len(hrefs))
        self.assertEqual(list(range(25)), self.bodies(echo=True, limit=10))
        self.assertEqual(list(range(25)), self.bodies())

    def test_lists_nothing(self):
        self.assertEqual([], self.bodies())

    def test_gets_and_deletes_messages(self):
        ids = [href.split('/')[-1] for href in self.post('a', 'b', 'c')]
        message = self.proxy.get_message(self.name, ids[1])
        self.assertEqual(('b', 300), (message.body, message.ttl))
        self.proxy.delete_message(self.name, ids[1])
        self.proxy.delete_message(self.name, self.proxy.get_message(self.name, ids[2]))
        self.assertEqual(['a'], self.bodies())
        self.assertRaises(exceptions.ResourceNotFound, self.proxy.get_message, self.name, ids[1])

    def test_claims(self):
        self.post('a', 'b')
        claim = self.create_claim(ttl=120, grace=60, limit=20)
        self.assertEqual(['a', 'b'], [message['body'] for message in claim.messages])
        self.assertEqual([], self.bodies())
        self.assertEqual(['a', 'b'], self.bodies(include_claimed=True))

        claim = self.get_claim(claim.id)
        self.assertEqual(120, claim.ttl)
        self.proxy.update_claim(self.name, claim.id, ttl=300, grace=60)
        self.assertEqual(300, self.get_claim(claim.id).ttl)

        self.proxy.delete_message(self.name, claim.messages[0]['id'], claim=claim.id)
        self.proxy.delete_claim(self.name, claim.id)
        self.assertEqual(['b'], self.bodies())
        self.assertRaises(exceptions.ResourceNotFound, self.get_claim, claim.id)

    def test_claims_nothing(self):
        self.assertIsNone(self.create_claim(ttl=60, grace=60).messages)

    def test_may_not_delete_what_others_hold(self):
        [href] = self.post('a')
        self.create_claim(ttl=60, grace=60)
        self.assertRaises(exceptions.HttpException, self.proxy.delete_message, self.name, href.split('/')[-1])

    def test_subscriptions(self):
        made = self.proxy.create_subscription(
            self.name, subscriber='http://192.0.2.1/', ttl=600, options={'post_headers': {'X-Team': 'billing'}})
        shown = self.proxy.get_subscription(self.name, made.subscription_id)
        self.assertEqual(
            ('http://192.0.2.1/', 600, self.name), (shown.subscriber, shown.ttl, shown.source))
        self.assertEqual({'post_headers': {'X-Team': 'billing'}}, shown.options)
        self.proxy.create_subscription(self.name, subscriber='http://192.0.2.2/')
        self.assertEqual(
            {'http://192.0.2.1/', 'http://192.0.2.2/'},
            {subscription.subscriber for subscription in self.proxy.subscriptions(self.name, limit=1)})
        self.proxy.delete_subscription(self.name, made.subscription_id)
        self.proxy.delete_subscription(self.name, made.subscription_id)
        self.assertRaises(exceptions.NotFoundException, self.proxy.get_subscription, self.name, made.subscription_id)


if __name__ == '__main__':
    unittest.main()
