import { StorageUnavailable } from '../../packages/server/src/storage/contract.ts'
import { until } from '../../packages/server/test/support/until.ts'

/** Asks a store in trouble again until it serves: for moves that may be done twice. */
export async function served<Answer>(move: () => Promise<Answer>): Promise<Answer> {
  const answers: Answer[] = []
  const isServed = async () => {
    try {
      answers.push(await move())
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error
    }
    return answers.length > 0
  }
  await until(isServed, 'the store does not serve again')
  return answers[0] as Answer
}
