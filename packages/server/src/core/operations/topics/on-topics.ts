import type { Operation } from '../../execute.ts'

/**
 * The same operation on topics. One on queues themselves gets the name, the permission and the words of topics;
 * messages and subscriptions have the same ones everywhere. (contract auth-policy.md 4)
 */
export function onTopics<Input, Output>(operation: Operation<Input, Output>): Operation<Input, Output> {
  const { name, permission, failure } = operation
  return {
    ...operation,
    kind: 'topic',
    name: name.replace(/^queues\./, 'topics.'),
    permission: permission.replace(/^queues:/, 'topics:'),
    failure: failure.replace(/^Queue/, 'Topic'),
  }
}
