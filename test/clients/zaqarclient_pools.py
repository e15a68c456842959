"""Pools and flavors by python-zaqarclient against the service at ZAQAR_URL, which has pooling and no pool.

ZAQAR_POOL_URIS are addresses of empty stores, with a blank between them.
"""

import os
import unittest

from zaqarclient.queues import client as zaqar
from zaqarclient.queues.v2 import core
from zaqarclient.transport import errors

ALL = ['FIFO', 'CLAIMS', 'DURABILITY', 'AOD', 'HIGH_THROUGHPUT']


def connect():
    """Without authentication the client has no way to say which roles it has, so each request is told."""
    auth = {'backend': 'noauth', 'options': {'os_project_id': 'p1'}}
    client = zaqar.Client(os.environ['ZAQAR_URL'], version=2, conf={'auth_opts': auth})
    plain = client._request_and_transport

    def request_and_transport():
        request, transport = plain()
        request.headers['X-Roles'] = 'admin'
        return request, transport

    client._request_and_transport = request_and_transport
    return client


class PoolTest(unittest.TestCase):

    def setUp(self):
        self.client = connect()
        self.uris = os.environ['ZAQAR_POOL_URIS'].split()

    def pool(self, name, **terms):
        pool = self.client.pool(name, **{'uri': self.uris.pop(0), 'weight': 10, **terms})
        self.addCleanup(pool.delete)
        return pool

    def flavor(self, name, *pools):
        flavor = self.client.flavor(name, pool_list=list(pools))
        self.addCleanup(flavor.delete)
        return flavor

    def queue(self, name, **metadata):
        """Objects of the client make queues without metadata, the functions below them with any."""
        request, transport = self.client._request_and_transport()
        core.queue_create(transport, request, name, metadata)
        queue = self.client.queue(name)
        self.addCleanup(queue.delete)
        return queue

    def assert_in_use(self, pool):
        with self.assertRaisesRegex(errors.ForbiddenError, 'holds queues'):
            self.client.pool(pool, auto_create=False).delete()

    def assert_serves(self, queue):
        """All that is done with the messages of a queue."""
        queue.post([{'body': body, 'ttl': 300} for body in 'abc'])
        self.assertEqual(list('abc'), [message.body for message in queue.messages(echo=True)])
        claim = queue.claim(ttl=100, grace=60, limit=2)
        for message in claim:
            self.assertEqual(message.body, queue.message(message.id).body)
            message.delete()
        self.assertEqual(['c'], [message.body for message in queue.pop()])
        self.assertEqual(0, queue.stats['messages']['total'])

    def test_pools(self):
        pool = self.pool('east', options={'a': 1})
        self.assertEqual(10, pool.get()['weight'])
        pool.update({'weight': 20, 'flavor': 'gold'})
        shown = pool.get()
        self.assertEqual((20, 'gold', '/v2/pools/east'), (shown['weight'], shown['flavor'], shown['href']))
        pool.update({'flavor': ''})
        pool.delete()
        self.assertRaises(errors.ResourceNotFound, pool.get)

    def test_lists_pools_page_by_page(self):
        names = ['pool-%d' % number for number in range(5)]
        for name in names:
            self.pool(name, options={'connections': 1})
        self.assertEqual(names, [pool.name for pool in self.client.pools(limit=2).stream()])
        [first, *_] = self.client.pools(detailed=True)
        self.assertEqual(({'connections': 1}, None), (first.options, first.flavor))

    def test_refuses_pools(self):
        self.assertRaises(errors.MalformedRequest, self.client.pool, 'far', uri='mongodb://far/', weight=1)
        east = self.pool('east')
        self.assertRaises(errors.ConflictError, self.client.pool, 'west', uri=east.uri, weight=1)

    def test_queues_lie_on_pools(self):
        self.pool('east')
        self.pool('west', weight=0)
        queue = self.client.queue('placed', force_create=True)
        self.addCleanup(queue.delete)
        self.assert_serves(queue)
        self.assert_in_use('east')
        queue.metadata(new_meta={'color': 'red'})
        queues, _count = self.client.queues(detailed=True)
        [listed] = queues
        self.assertEqual(('placed', 'red'), (listed.name, listed.metadata()['color']))

    def test_no_queue_can_be_made_without_a_pool(self):
        self.assertRaises(errors.ServiceUnavailableError, self.client.queue, 'nowhere', force_create=True)

    def test_flavors(self):
        self.pool('east')
        self.pool('west')
        flavor = self.flavor('gold', 'east')
        self.assertEqual((['east'], ALL), (flavor.get()['pool_list'], flavor.get()['capabilities']))
        flavor.update({'pool_list': ['west']})
        self.assertEqual(['west'], flavor.get()['pool_list'])
        self.assertRaises(errors.ForbiddenError, self.client.pool('west', auto_create=False).delete)
        flavor.delete()
        self.assertRaises(errors.ResourceNotFound, flavor.get)

    def test_queues_of_a_flavor_lie_on_its_pools(self):
        self.pool('plain')
        self.pool('fast')
        flavor = self.flavor('gold', 'fast')
        queue = self.queue('golden', _flavor='gold')
        self.assert_serves(queue)
        self.assertEqual('gold', queue.metadata(force_reload=True)['_flavor'])
        flavor.delete()
        self.assert_in_use('fast')

    def test_lists_flavors_page_by_page(self):
        names = ['flavor-%d' % number for number in range(5)]
        for name in names:
            self.pool('of-' + name)
            self.flavor(name, 'of-' + name)
        listed = list(self.client.flavors(limit=2, detailed=True).stream())
        self.assertEqual(names, [flavor.name for flavor in listed])
        self.assertEqual((['of-flavor-0'], ALL), (listed[0].pool_list, listed[0].capabilities))

    def test_refuses_flavors(self):
        self.assertRaises(errors.MalformedRequest, self.client.flavor, 'gold', pool_list=['nowhere'])
        self.assertRaises(errors.MalformedRequest, self.client.flavor, 'gold', pool_list=[])
        self.pool('plain')
        self.assertRaises(errors.MalformedRequest, self.queue, 'golden', _flavor='gold')


if __name__ == '__main__':
    unittest.main()
