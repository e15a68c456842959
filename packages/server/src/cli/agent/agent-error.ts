/** The agent cannot do its work; the message says what would help. */
export class AgentError extends Error {
  override readonly name = 'AgentError'
}
