"""What Horizon's panels for queues, pools and flavors ask of the service: the functions of python3-zaqar-ui behind them.

A request of a browser is stood in for by what they read of one: the user, with a token and its catalogue.
ZAQAR_POOL_URIS are addresses of empty stores, with a blank between them.
"""

import os
import types
import unittest

os.environ['DJANGO_SETTINGS_MODULE'] = 'openstack_dashboard.settings'

import django

django.setup()

from keystoneauth1 import session
from keystoneauth1.identity import v3
from openstack_auth.user import Token
from zaqar_ui.api import zaqar
from zaqarclient.transport import errors

URIS = os.environ['ZAQAR_POOL_URIS'].split()


def request_of(username):
    names = {name: os.environ['OS_' + name.upper()] for name in ('auth_url', 'project_name', 'password')}
    login = v3.Password(username=username, user_domain_name='Default', project_domain_name='Default', **names)
    token = Token(login.get_access(session.Session()))
    user = types.SimpleNamespace(
        token=token,
        tenant_id=token.project['id'],
        service_catalog=token.serviceCatalog,
        services_region=None,
    )
    return types.SimpleNamespace(user=user)


class HorizonTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.operator = request_of('ada')
        cls.member = request_of('rita')

    def pool(self, name, uri, weight=10):
        made = zaqar.pool_create(self.operator, name, {'uri': uri, 'weight': weight, 'options': {'connections': 1}})
        self.addCleanup(zaqar.pool_delete, self.operator, name)
        return made

    def test_pools(self):
        self.pool('east', URIS[0])
        self.pool('west', URIS[1], weight=20)
        zaqar.pool_update(self.operator, 'east', {'uri': URIS[0], 'weight': 30, 'options': {}})
        shown = zaqar.pool_get(self.operator, 'east')
        self.assertEqual(('east', 30), (shown['name'], shown['weight']))
        listed = [(pool.name, pool.uri, pool.weight, pool.options) for pool in zaqar.pool_list(self.operator)]
        self.assertEqual([('east', URIS[0], 30, {}), ('west', URIS[1], 20, {'connections': 1})], listed)
        self.assertRaises(errors.ForbiddenError, zaqar.pool_list, self.member)

    def test_flavors_and_their_queues(self):
        self.pool('east', URIS[0])
        self.pool('west', URIS[1])
        zaqar.flavor_create(self.operator, 'gold', {'pool_list': ['east'], 'capabilities': {}})
        zaqar.flavor_update(self.operator, 'gold', {'pool_list': ['west'], 'capabilities': {}})
        shown = zaqar.flavor_get(self.operator, 'gold')
        self.assertEqual((['west'], True), (shown['pool_list'], 'DURABILITY' in shown['capabilities']))
        [listed] = zaqar.flavor_list(self.operator)
        self.assertEqual(('gold', ['west'], shown['capabilities']), (listed.name, listed.pool_list, listed.capabilities))

        zaqar.queue_create(self.member, 'jobs', {'_default_message_ttl': 300})
        zaqar.message_post(self.member, 'jobs', [{'body': 'a', 'ttl': 300}])
        jobs = zaqar.queue_get(self.member, 'jobs')
        self.assertEqual((300, 1), (jobs.metadata()['_default_message_ttl'], jobs.stats['messages']['free']))
        self.assertRaises(errors.ForbiddenError, zaqar.pool_delete, self.operator, 'east')
        zaqar.queue_purge(self.member, 'jobs', ['messages'])
        zaqar.queue_delete(self.member, 'jobs')
        zaqar.flavor_delete(self.operator, 'gold')
        self.assertEqual([], list(zaqar.flavor_list(self.operator)))


if __name__ == '__main__':
    unittest.main()
