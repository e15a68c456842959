"""python-zaqarclient with tokens of a Keystone. The password, not a token, is given: the client gets its own."""

import os
import unittest

from zaqarclient.queues import client as zaqar
from zaqarclient.transport import errors


def connect(user, project):
    options = {
        'os_username': user,
        'os_password': os.environ['OS_PASSWORD'],
        'os_user_domain_name': 'Default',
        'os_project_name': project,
        'os_project_domain_name': 'Default',
        'os_auth_url': os.environ['OS_AUTH_URL'],
    }
    auth = {'backend': 'keystone', 'options': options}
    return zaqar.Client(os.environ['ZAQAR_URL'], version=2, conf={'auth_opts': auth})


class KeystoneTest(unittest.TestCase):

    def test_works_in_its_own_project(self):
        rita = connect('rita', 'red').queue('from-python', force_create=True)
        rita.post([{'body': 'hello', 'ttl': 300}])
        self.assertEqual(['hello'], [message.body for message in rita.messages(echo=True)])
        listed, _count = connect('bob', 'blue').queues(with_count=True)
        self.assertNotIn('from-python', [queue.name for queue in listed.stream()])

    def test_is_told_when_it_may_not(self):
        with self.assertRaises(errors.ForbiddenError):
            connect('rex', 'red').queue('from-python').purge()

    def test_shares_with_somebody_without_an_account(self):
        queue = connect('rita', 'red').queue('given-away', force_create=True)
        signed = queue.signed_url(paths=['messages'], ttl_seconds=60, methods=['GET', 'POST'])
        options = {
            'signature': signed['signature'],
            'expires': signed['expires'],
            'methods': signed['methods'],
            'paths': signed['paths'],
            'os_project_id': signed['project'],
        }
        conf = {'auth_opts': {'backend': 'signed-url', 'options': options}}
        guest = zaqar.Client(os.environ['ZAQAR_URL'], version=2, conf=conf).queue('given-away', auto_create=False)
        guest.post([{'body': 'from a guest', 'ttl': 300}])
        self.assertEqual(['from a guest'], [message.body for message in queue.messages(echo=True)])


if __name__ == '__main__':
    unittest.main()
