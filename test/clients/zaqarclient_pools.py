"""Pools and flavors by python-zaqarclient against the service at ZAQAR_URL, whose data folder is ZAQAR_DATA_DIR."""

import os
import unittest

from zaqarclient.queues import client as zaqar
from zaqarclient.transport import errors


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

    def pool(self, name, **terms):
        pool = self.client.pool(name, uri='sqlite:%s/%s.db' % (os.environ['ZAQAR_DATA_DIR'], name), **{'weight': 10, **terms})
        self.addCleanup(pool.delete)
        return pool

    def flavor(self, name, *pools):
        flavor = self.client.flavor(name, pool_list=list(pools))
        self.addCleanup(flavor.delete)
        return flavor

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
        names = ['pool-%02d' % number for number in range(12)]
        for name in names:
            self.pool(name)
        self.assertEqual(names, [pool.name for pool in self.client.pools(limit=5).stream()])
        [first, *_] = self.client.pools(detailed=True)
        self.assertEqual(({}, None), (first.options, first.flavor))

    def test_refuses_pools(self):
        self.assertRaises(errors.MalformedRequest, self.client.pool, 'far', uri='mongodb://far/', weight=1)
        east = self.pool('east')
        self.assertRaises(errors.ConflictError, self.client.pool, 'west', uri=east.uri, weight=1)

    def test_flavors(self):
        self.pool('east')
        self.pool('west')
        flavor = self.flavor('gold', 'east')
        self.assertEqual(['east'], flavor.get()['pool_list'])
        self.assertIn('FIFO', flavor.get()['capabilities'])
        flavor.update({'pool_list': ['west']})
        self.assertEqual(['west'], flavor.get()['pool_list'])
        self.assertRaises(errors.ForbiddenError, self.client.pool('west', auto_create=False).delete)
        flavor.delete()
        self.assertRaises(errors.ResourceNotFound, flavor.get)

    def test_lists_flavors_page_by_page(self):
        names = ['flavor-%02d' % number for number in range(12)]
        for name in names:
            self.pool('of-' + name)
            self.flavor(name, 'of-' + name)
        listed = list(self.client.flavors(limit=5, detailed=True).stream())
        self.assertEqual(names, [flavor.name for flavor in listed])
        self.assertEqual(['of-flavor-00'], listed[0].pool_list)
        self.assertIn('CLAIMS', listed[0].capabilities)

    def test_refuses_flavors(self):
        self.assertRaises(errors.MalformedRequest, self.client.flavor, 'gold', pool_list=['nowhere'])
        self.assertRaises(errors.MalformedRequest, self.client.flavor, 'gold', pool_list=[])


if __name__ == '__main__':
    unittest.main()
