"""What a program in Python sees of the WebSocket transport: python3-websocket, with JSON and with python3-msgpack."""

import json
import os
import unittest
import uuid

import msgpack
import websocket

URL = os.environ['ZAQAR_URL'].replace('http', 'ws', 1)
CLIENT_ID = '3381af92-2b9e-11e3-b191-71861300734c'
NOBODY = {'action': None, 'body': {}, 'headers': {}, 'api': 'v2'}
BODIES = [{'event': 'started', 'nested': [1, -2, 1.5, True, None]}, 'Grüße \U0001f600', 7, None, []]


class Json:
    opcode = websocket.ABNF.OPCODE_TEXT
    undecodable = {
        b'{': "Can't decode text (JSON) request. JSONDecodeError: ",
        b'': "Can't decode text (JSON) request. JSONDecodeError: ",
    }

    @staticmethod
    def dumps(document):
        return json.dumps(document).encode()

    @staticmethod
    def loads(data):
        return json.loads(data)


class MessagePack:
    opcode = websocket.ABNF.OPCODE_BINARY
    undecodable = {
        b'\xc1': "Can't decode binary (MessagePack) request. FormatError: ",
        b'\x80\x80': "Can't decode binary (MessagePack) request. ExtraData: ",
    }

    @staticmethod
    def dumps(document):
        return msgpack.packb(document)

    @staticmethod
    def loads(data):
        return msgpack.unpackb(data)


ENCODINGS = {Json.opcode: Json, MessagePack.opcode: MessagePack}


class Client:
    """One connection. What arrives is a push or an answer, in whichever encoding."""

    def __init__(self, encoding, project=None):
        self.encoding = encoding
        self.project = project or uuid.uuid4().hex
        self.socket = websocket.create_connection(URL, timeout=20)

    def headers(self, **more):
        return {'Client-ID': CLIENT_ID, 'X-Project-ID': self.project, **more}

    def send(self, document, encoding=None):
        encoding = encoding or self.encoding
        self.send_bytes(encoding.dumps(document), encoding)

    def send_bytes(self, data, encoding=None):
        self.socket.send(data, (encoding or self.encoding).opcode)

    def receive(self):
        """Answers how it came, and the document."""
        opcode, data = self.socket.recv_data()
        encoding = ENCODINGS[opcode]
        document = encoding.loads(data)
        # Byte for byte as Python's own libraries write it.
        assert encoding.dumps(document) == data, data
        return encoding, document

    def ask(self, action, body=None, headers=None):
        """Answers the status and the body."""
        headers = self.headers() if headers is None else headers
        self.send({'action': action, 'headers': headers, **({} if body is None else {'body': body})})
        encoding, answer = self.receive()
        assert encoding is self.encoding, encoding
        assert list(answer) == ['request', 'body', 'headers'], answer
        assert answer['request'] == {'action': action, 'body': body or {}, 'headers': headers, 'api': 'v2'}, answer
        assert list(answer['headers']) == ['status'], answer
        return answer['headers']['status'], answer['body']


class Case(unittest.TestCase):
    """Each test has a project of its own."""

    maxDiff = None

    def connect(self, encoding, project=None):
        client = Client(encoding, project)
        self.addCleanup(client.socket.close)
        return client


class Frames:
    """Run for both encodings, see below."""

    encoding = None

    def setUp(self):
        self.client = self.connect(self.encoding)
        self.ask = self.client.ask

    def post(self, queue, *bodies):
        messages = [{'body': body, 'ttl': 300} for body in bodies]
        status, body = self.ask('message_post', {'queue_name': queue, 'messages': messages})
        self.assertEqual(status, 201, body)
        self.assertEqual(list(body), ['message_ids'])
        return body['message_ids']

    def listed(self, queue, **more):
        status, body = self.ask('message_list', {'queue_name': queue, 'echo': True, **more})
        self.assertEqual(status, 200, body)
        return body['messages']

    # Envelopes

    def test_what_cannot_be_decoded_is_named_and_the_connection_goes_on(self):
        for data, error in self.encoding.undecodable.items():
            self.client.send_bytes(data)
            encoding, answer = self.client.receive()
            self.assertIs(encoding, self.encoding)
            self.assertEqual((answer['request'], answer['headers']), (NOBODY, {'status': 400}))
            self.assertTrue(answer['body']['error'].startswith(error), answer)
        self.assertEqual(self.ask('queue_list'), (200, {'queues': []}))

    def test_what_is_no_request_is_refused(self):
        for document, echo, error in [
            ([], NOBODY, 'Unexpected body type. Expected dict or dict like.'),
            (1, NOBODY, 'Unexpected body type. Expected dict or dict like.'),
            ({}, NOBODY, 'None is not a valid action'),
            ({'action': 'fly', 'headers': {'a': 1}}, {**NOBODY, 'action': 'fly', 'headers': {'a': 1}}, 'fly is not a valid action'),
            ({'action': 'queue_list'}, {**NOBODY, 'action': 'queue_list'}, 'Schema validation failed.'),
        ]:
            self.client.send(document)
            _, answer = self.client.receive()
            self.assertEqual((answer['request'], answer['headers']), (echo, {'status': 400}))
            self.assertEqual(answer['body']['error'], error)

    def test_a_request_that_the_schema_does_not_admit_is_refused(self):
        for action, body, headers in [
            ('queue_list', None, {'Client-ID': CLIENT_ID}),
            ('queue_list', None, self.client.headers(**{'User-Agent': 1})),
            ('queue_create', None, None),
            ('queue_create', {}, None),
            ('queue_create', {'queue_name': 1}, None),
            ('message_post', {'queue_name': 'q', 'messages': {}}, None),
            ('claim_create', {'queue_name': 'q', 'ttl': True}, None),
            ('claim_create', {'queue_name': 'q', 'ttl': '60'}, None),
        ]:
            status, body = self.ask(action, body, headers)
            self.assertEqual((status, body['error']), (400, 'Schema validation failed.'), action)

    def test_an_answer_has_the_id_that_its_request_had(self):
        for request_id in ['first', 2]:
            self.client.send({'action': 'queue_list', 'headers': self.client.headers(), 'request_id': request_id})
            self.assertEqual(self.client.receive()[1]['request_id'], request_id)

    def test_answers_come_in_the_order_of_requests_each_in_the_encoding_of_its_own(self):
        encodings = [Json, MessagePack, MessagePack, Json]
        for number, encoding in enumerate(encodings):
            body = {'queue_name': 'kit', 'messages': [{'body': number, 'ttl': 300}]}
            self.client.send({'action': 'message_post', 'headers': self.client.headers(), 'body': body}, encoding)
        for number, encoding in enumerate(encodings):
            came_as, answer = self.client.receive()
            self.assertIs(came_as, encoding)
            self.assertEqual(answer['request']['body']['messages'][0]['body'], number)

    # Actions

    def test_queues(self):
        kit = {'queue_name': 'kit'}
        self.assertEqual(self.ask('queue_get', kit), (200, {}))
        self.assertEqual(self.ask('queue_create', {**kit, 'metadata': {'a': 1}}), (201, 'Queue kit created.'))
        self.assertEqual(self.ask('queue_create', kit), (204, 'Queue kit created.'))
        self.assertEqual(self.ask('queue_get', kit), (200, {'a': 1}))
        self.assertEqual(self.ask('queue_list'), (200, {'queues': [{'name': 'kit'}]}))
        detailed = {'queues': [{'name': 'kit', 'metadata': {'a': 1}}]}
        self.assertEqual(self.ask('queue_list', {'detailed': True, 'limit': 5, 'marker': 'a'}), (200, detailed))
        empty = {'messages': {'claimed': 0, 'free': 0, 'total': 0}}
        self.assertEqual(self.ask('queue_get_stats', kit), (200, empty))
        self.assertEqual(self.ask('queue_get_stats', {'queue_name': 'none'}), (404, empty))
        [first, last] = self.post('kit', 'first', 'last')
        status, stats = self.ask('queue_get_stats', kit)
        self.assertEqual((status, stats['messages']['free'], stats['messages']['total']), (200, 2, 2))
        self.assertEqual((stats['messages']['oldest']['id'], stats['messages']['newest']['id']), (first, last))
        self.assertEqual(self.ask('queue_purge', {**kit, 'resource_types': ['messages']}), (204, {}))
        self.assertEqual(self.listed('kit'), [])
        self.assertEqual(self.ask('queue_delete', kit), (204, 'Queue kit removed.'))
        self.assertEqual(self.ask('queue_delete', kit), (204, 'Queue kit removed.'))
        self.assertEqual(self.ask('queue_list'), (200, {'queues': []}))

    def test_what_is_wrong_inside_of_an_action_has_two_keys(self):
        error = 'Limit must be at least 1 and no greater than 20.'
        status, body = self.ask('queue_list', {'limit': 0})
        self.assertEqual((status, list(body), body['exception']), (400, ['exception', 'error'], error))
        error = 'The format of the submitted queue name or project id is not valid.'
        status, body = self.ask('queue_create', {'queue_name': 'a b'})
        self.assertEqual((status, list(body), body['exception']), (400, ['exception', 'error'], error))
        status, body = self.ask('message_list', {'queue_name': 'none'})
        self.assertEqual((status, list(body)), (404, ['exception', 'error']))
        status, body = self.ask('message_list', {'queue_name': 'q'}, self.client.headers(**{'Client-ID': 'me'}))
        self.assertEqual((status, body['exception']), (400, 'badly formed hexadecimal UUID string'))

    def test_messages(self):
        ids = self.post('kit', *BODIES)
        messages = self.listed('kit')
        self.assertEqual([message['body'] for message in messages], BODIES)
        self.assertEqual([message['id'] for message in messages], ids)
        self.assertEqual(list(messages[0]), ['id', 'claim_id', 'ttl', 'age', 'body'])
        self.assertEqual((messages[0]['claim_id'], messages[0]['ttl']), (None, 300))
        self.assertEqual(self.ask('message_list', {'queue_name': 'kit'}), (200, {'messages': []}))
        one = {'queue_name': 'kit', 'message_id': ids[0]}
        status, body = self.ask('message_get', one)
        self.assertEqual((status, body['messages']['body']), (200, BODIES[0]))
        status, body = self.ask('message_get_many', {'queue_name': 'kit', 'message_ids': [ids[1], 'none', ids[2]]})
        self.assertEqual((status, [message['body'] for message in body['messages']]), (200, BODIES[1:3]))
        self.assertEqual(self.ask('message_delete', one), (204, {}))
        self.assertEqual(self.ask('message_delete', one), (204, {}))
        self.assertEqual(self.ask('message_get', one)[0], 404)
        self.assertEqual(self.ask('message_delete_many', {'queue_name': 'kit', 'message_ids': ids[:2]}), (204, {}))
        status, body = self.ask('message_delete_many', {'queue_name': 'kit', 'pop': 2})
        self.assertEqual((status, [message['body'] for message in body['messages']]), (200, BODIES[2:4]))
        self.assertEqual([message['body'] for message in self.listed('kit')], BODIES[4:])

    def test_messages_that_cannot_be_posted_or_deleted(self):
        for messages, error in [
            ([], 'No messages to enqueue.'),
            ([{'ttl': 60}], 'Bad request. Missing "body" field.'),
            ([{'body': 1, 'ttl': '60'}], 'Bad request. The value of the "ttl" field must be a int.'),
            ([{'body': 'x' * 262144, 'ttl': 60}], 'Message collection size is too large. Max size 262144 for this queue, 262144 for any queue'),
        ]:
            status, body = self.ask('message_post', {'queue_name': 'kit', 'messages': messages})
            self.assertEqual((status, body['exception']), (400, error))
        for body, error in [
            ({}, 'The request should have either "ids" or "pop" parameter in the request, to be able to delete.'),
            ({'message_ids': ['a'], 'pop': 1}, 'pop and id params cannot be present together in the delete request.'),
            ({'pop': 21}, 'Pop value must be at least 1 and may not be greater than 20.'),
            ({'message_ids': []}, 'ids parameter should have at least 1 and not greater than 20 values.'),
        ]:
            status, body = self.ask('message_delete_many', {'queue_name': 'kit', **body})
            self.assertEqual((status, body['exception']), (400, error))

    def test_claims(self):
        kit = {'queue_name': 'kit'}
        status, body = self.ask('claim_create', kit)
        self.assertEqual((status, list(body)), (204, ['claim_id']))
        self.post('kit', 'a', 'b', 'c')
        status, claim = self.ask('claim_create', {**kit, 'limit': 2, 'ttl': 60, 'grace': 60})
        self.assertEqual((status, list(claim)), (201, ['claim_id', 'messages']))
        self.assertEqual([message['body'] for message in claim['messages']], ['a', 'b'])
        self.assertEqual({message['claim_id'] for message in claim['messages']}, {claim['claim_id']})
        this = {**kit, 'claim_id': claim['claim_id']}
        status, body = self.ask('claim_get', this)
        self.assertEqual((status, sorted(body), body['ttl']), (200, ['age', 'messages', 'ttl'], 60))
        updated = f'Claim {claim["claim_id"]} updated.'
        self.assertEqual(self.ask('claim_update', {**this, 'ttl': 120}), (204, updated))
        self.assertEqual(self.ask('claim_get', this)[1]['ttl'], 120)
        message = {**kit, 'message_id': claim['messages'][0]['id']}
        error = 'This message is claimed; it cannot be deleted without a valid claim ID.'
        status, body = self.ask('message_delete', message)
        self.assertEqual((status, body['exception']), (403, error))
        self.assertEqual(self.ask('message_delete', {**message, 'claim_id': claim['claim_id']}), (204, {}))
        deleted = f'Claim {claim["claim_id"]} deleted.'
        self.assertEqual(self.ask('claim_delete', this), (204, deleted))
        self.assertEqual(self.ask('claim_delete', this), (204, deleted))
        status, body = self.ask('claim_get', this)
        gone = f'Claim {claim["claim_id"]} does not exist.'
        self.assertEqual((status, list(body), body['error']), (404, ['exception', 'error'], gone))
        self.assertEqual([message['body'] for message in self.listed('kit')], ['b', 'c'])
        self.assertEqual(self.ask('claim_create', {**kit, 'ttl': 1})[0], 400)

    def test_subscriptions(self):
        kit = {'queue_name': 'kit'}
        subscriber = 'http://127.0.0.1:9/hook'
        self.assertEqual(self.ask('subscription_list', kit), (200, {'subscriptions': []}))
        status, body = self.ask('subscription_create', {**kit, 'subscriber': subscriber, 'ttl': 600, 'options': {'a': 1}})
        self.assertEqual((status, list(body)), (201, ['subscription_id', 'message']))
        self.assertEqual(body['message'], 'Subscription kit created.')
        again = self.ask('subscription_create', {**kit, 'subscriber': subscriber})
        self.assertEqual(again, (409, 'Subscription kit not created.'))
        self.assertEqual(self.ask('subscription_create', {**kit, 'subscriber': 'ftp://127.0.0.1/'})[0], 400)
        this = {**kit, 'subscription_id': body['subscription_id']}
        status, one = self.ask('subscription_get', this)
        self.assertEqual((status, one['id'], one['source']), (200, body['subscription_id'], 'kit'))
        self.assertEqual((one['subscriber'], one['ttl'], one['options']), (subscriber, 600, {'a': 1}))
        status, listed = self.ask('subscription_list', kit)
        self.assertEqual([each['id'] for each in listed['subscriptions']], [one['id']])
        self.assertEqual(self.ask('subscription_delete', this), (204, f'Subscription {one["id"]} removed.'))
        self.assertEqual(self.ask('subscription_get', this)[0], 404)

    def test_actions_that_upstream_never_answers(self):
        self.assertEqual(self.ask('ping_node', headers={})[0] // 100, 2)
        status, home = self.ask('get_home_doc', headers={})
        self.assertEqual((status, 'resources' in home), (200, True))
        operator = self.client.headers(**{'X-Roles': 'admin'})
        self.assertEqual(self.ask('check_node_health', headers=operator)[0], 200)
        pool = {'pool_name': 'none'}
        flavor = {'flavor_name': 'none'}
        for action, body, wanted in [
            ('pool_list', pool, 200),
            ('pool_get', pool, 404),
            ('pool_create', {**pool, 'weight': 1, 'uri': 'nothing://'}, 400),
            ('pool_update', {**pool, 'weight': 2}, 404),
            ('pool_delete', pool, 204),
            ('flavor_list', flavor, 200),
            ('flavor_get', flavor, 404),
            ('flavor_create', {**flavor, **pool, 'pool_list': ['none']}, 400),
            ('flavor_update', {**flavor, 'pool_list': ['none']}, 404),
            ('flavor_delete', flavor, 204),
        ]:
            status, body = self.ask(action, body, operator)
            self.assertEqual(status, wanted, (action, body))

    # Pushes

    def test_what_is_posted_is_pushed_to_who_subscribed(self):
        status, body = self.ask('subscription_create', {'queue_name': 'kit', 'ttl': 300})
        self.assertEqual((status, list(body)), (201, ['subscription_id', 'message']))
        again = self.ask('subscription_create', {'queue_name': 'kit', 'ttl': 300})
        self.assertEqual(again, (409, 'Subscription kit not created.'))
        other = self.connect(Json, self.client.project)
        messages = [{'body': each, 'ttl': 300} for each in BODIES]
        status, _ = other.ask('message_post', {'queue_name': 'kit', 'messages': messages})
        self.assertEqual(status, 201)
        for body in BODIES:
            push = {'ttl': 300, 'body': body, 'Message_Type': 'Notification', 'queue_name': 'kit'}
            encoding, document = self.client.receive()
            self.assertEqual((encoding, document, list(document)), (self.encoding, push, list(push)))

    def test_pushes_can_have_ids_and_markers_from_which_another_connection_goes_on(self):
        subscribe = {'queue_name': 'kit', 'ttl': 300, 'options': {'_with_ids': True}}
        status, body = self.ask('subscription_create', subscribe)
        self.assertEqual((status, 'marker' in body), (201, True))
        other = self.connect(Json, self.client.project)
        post = lambda body: other.ask('message_post', {'queue_name': 'kit', 'messages': [{'body': body, 'ttl': 300}]})
        ids = post('first')[1]['message_ids']
        _, push = self.client.receive()
        self.assertEqual(list(push), ['ttl', 'body', 'Message_Type', 'queue_name', 'id', 'marker'])
        self.assertEqual([push['id']], ids)
        self.client.socket.close()
        post('missed')
        again = self.connect(self.encoding, self.client.project)
        again.ask('subscription_create', {**subscribe, 'marker': push['marker']})
        post('live')
        self.assertEqual([again.receive()[1]['body'] for _ in range(2)], ['missed', 'live'])

    def test_pushes_come_in_the_encoding_of_the_last_subscription(self):
        other = MessagePack if self.encoding is Json else Json
        self.ask('subscription_create', {'queue_name': 'one', 'ttl': 300})
        body = {'queue_name': 'two', 'ttl': 300}
        self.client.send({'action': 'subscription_create', 'headers': self.client.headers(), 'body': body}, other)
        self.assertEqual(self.client.receive()[1]['headers']['status'], 201)
        poster = self.connect(Json, self.client.project)
        poster.ask('message_post', {'queue_name': 'one', 'messages': [{'body': 'a', 'ttl': 300}]})
        self.assertIs(self.client.receive()[0], other)

    def test_a_connection_that_goes_takes_its_subscription_along(self):
        gone = self.connect(self.encoding, self.client.project)
        gone.ask('subscription_create', {'queue_name': 'kit', 'ttl': 300})
        _, body = self.ask('subscription_list', {'queue_name': 'kit'})
        self.assertRegex(body['subscriptions'][0]['subscriber'], '^websocket:')
        gone.socket.close()
        while body['subscriptions']:
            _, body = self.ask('subscription_list', {'queue_name': 'kit'})

    # What the pages and programs do that upstream has as examples

    def test_a_page_that_shows_queues_and_messages_and_looks_again_when_it_is_told(self):
        page = Page(self.client)
        page.ask('authenticate', headers={'X-Auth-Token': 'any', **self.client.headers()})
        page.hear(until='queues')
        self.assertEqual(page.queues, [])
        page.ask('queue_create', {'queue_name': 'kit'})
        page.hear(until='queues')
        self.assertEqual(page.queues, ['kit'])
        page.ask('subscription_create', {'queue_name': 'kit', 'ttl': 3600})
        page.ask('message_post', {'queue_name': 'kit', 'messages': [{'body': 'hello', 'ttl': 3600}]})
        # Once for the answer to the post, and once for the notification.
        page.hear(until='messages')
        page.hear(until='messages')
        self.assertEqual(page.notified, ['hello'])
        [message] = page.messages
        self.assertEqual((message['body'], message['ttl']), ('hello', 3600))
        page.ask('message_delete', {'queue_name': 'kit', 'message_id': message['id']})
        page.hear(until='messages')
        self.assertEqual(page.messages, [])
        page.ask('queue_delete', {'queue_name': 'kit'})
        page.hear(until='queues')
        self.assertEqual(page.queues, [])

    def test_a_program_that_sends_all_at_once_and_prints_what_has_messages(self):
        self.post('SampleQueue', 'the first', 'the second')
        token = {'X-Auth-Token': 'any', 'X-Project-ID': self.client.project}
        self.client.send({'action': 'authenticate', 'headers': token})
        claim = {'action': 'claim_create', 'body': {'queue_name': 'SampleQueue'}, 'headers': self.client.headers()}
        self.client.send(claim)
        printed = []
        for _ in range(2):
            _, document = self.client.receive()
            if 'messages' in document['body']:
                printed.append(document['body']['messages'][0]['body'])
        self.assertEqual(printed, ['the first'])


class Page:
    """Tells answers from notifications as upstream's page does, and asks again for what may have changed."""

    def __init__(self, client):
        self.client = client
        self.queues = self.messages = None
        self.notified = []

    def ask(self, action, body=None, headers=None):
        headers = headers or self.client.headers()
        self.client.send({'action': action, 'headers': headers, **({} if body is None else {'body': body})})

    def hear(self, until):
        """Until there is a new list of queues or messages."""
        while True:
            _, document = self.client.receive()
            shown = self.take(document)
            if shown == until:
                return

    def take(self, document):
        if 'request' not in document or 'headers' not in document:
            self.notified.append(document['body'])
            return self.list_messages()
        assert document['headers']['status'] < 300, document
        action = document['request']['action']
        if action == 'queue_list':
            self.queues = [queue['name'] for queue in document['body']['queues']]
            return 'queues'
        if action == 'message_list':
            self.messages = document['body']['messages']
            return 'messages'
        if action in ('authenticate', 'queue_create', 'queue_delete'):
            self.ask('queue_list')
        elif action in ('message_post', 'message_delete'):
            self.list_messages()
        return None

    def list_messages(self):
        self.ask('message_list', {'queue_name': 'kit', 'echo': True})


class InJson(Frames, Case):
    encoding = Json


class InMessagePack(Frames, Case):
    encoding = MessagePack


class Authentication:
    """With Keystone: a token of the project, and signed values for its queue `kit`."""

    encoding = None

    def setUp(self):
        self.project = os.environ['ZAQAR_PROJECT']
        self.client = self.connect(self.encoding, self.project)
        self.ask = self.client.ask

    def authenticate(self, token=None, project=None):
        headers = {'X-Auth-Token': token or os.environ['ZAQAR_TOKEN'], 'X-Project-ID': project or self.project}
        self.client.send({'action': 'authenticate', 'headers': headers})
        _, answer = self.client.receive()
        self.assertEqual(answer['request'], {'action': 'authenticate', 'body': {}, 'headers': {}, 'api': 'v2'})
        return answer['headers']['status'], answer['body']

    def test_a_token_lets_in_to_its_own_project(self):
        self.assertEqual(self.ask('queue_list'), (403, {'error': 'Not authentified.'}))
        self.assertEqual(self.authenticate('junk'), (401, {'error': 'Authentication failed.'}))
        self.assertEqual(self.ask('queue_list'), (403, {'error': 'Not authentified.'}))
        self.assertEqual(self.authenticate(project='any'), (200, {'message': 'Authentified.'}))
        self.assertEqual(self.ask('queue_create', {'queue_name': 'kit'})[0] // 100, 2)
        other = self.client.headers(**{'X-Project-ID': 'other'})
        self.assertEqual(self.ask('queue_list', headers=other), (403, {'error': 'Not authenticated.'}))
        # What lets in goes on to hold, whatever is tried beside it.
        self.assertEqual(self.authenticate('junk'), (401, {'error': 'Authentication failed.'}))
        status, _ = self.ask('queue_list', headers=self.client.headers(**{'X-Auth-Token': 'junk'}))
        self.assertEqual(status, 200)

    def test_both_headers_are_required(self):
        for headers in [{}, {'X-Auth-Token': 'a'}, {'X-Project-ID': 'a'}]:
            self.client.send({'action': 'authenticate', 'headers': headers})
            _, answer = self.client.receive()
            self.assertEqual(answer['headers'], {'status': 400})
            self.assertEqual(answer['body']['error'], 'Schema validation failed.')

    def test_a_signature_lets_in_one_request_at_its_own_queue(self):
        signed = json.loads(os.environ['ZAQAR_SIGNED'])
        headers = self.client.headers(**{
            'URL-Signature': signed['signature'],
            'URL-Expires': signed['expires'],
            'URL-Methods': signed['methods'],
            'URL-Paths': signed['paths'],
        })
        post = {'queue_name': 'kit', 'messages': [{'body': 'signed', 'ttl': 300}]}
        self.assertEqual(self.ask('message_post', post, headers)[0], 201)
        self.assertEqual(self.ask('message_list', {'queue_name': 'kit'}, headers)[0], 200)
        refused = (403, {'error': 'Not authentified.'})
        self.assertEqual(self.ask('message_list', {'queue_name': 'kit'}), refused)
        self.assertEqual(self.ask('message_list', {'queue_name': 'other'}, headers), refused)
        self.assertEqual(self.ask('queue_list', headers=headers), refused)
        self.assertEqual(self.ask('message_delete', {'queue_name': 'kit', 'message_id': 'a'}, headers), refused)
        for change in [
            {'URL-Signature': '0' * 64},
            {'URL-Expires': '2020-01-01T00:00:00'},
            {'URL-Methods': ','.join(signed['methods'])},
            {'URL-Paths': ','.join(signed['paths'])},
            {'X-Project-ID': 'other'},
        ]:
            self.assertEqual(self.ask('message_post', post, {**headers, **change}), refused, change)
        without = {name: value for name, value in headers.items() if name not in ('URL-Methods', 'URL-Expires')}
        self.assertIn(self.ask('message_post', post, without)[0], (400, 403))


class AuthenticationInJson(Authentication, Case):
    encoding = Json


class AuthenticationInMessagePack(Authentication, Case):
    encoding = MessagePack


if __name__ == '__main__':
    with_keystone = 'ZAQAR_TOKEN' in os.environ
    names = ['AuthenticationInJson', 'AuthenticationInMessagePack'] if with_keystone else ['InJson', 'InMessagePack']
    unittest.main(defaultTest=names)
