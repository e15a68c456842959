import { v1Resources } from '../home-documents/v1.ts'
import { older } from '../older.ts'
import { v1_1 } from '../v1_1/version.ts'
import { callersCouldSayLittle } from './callers-could-say-little.ts'
import { claimsNeededTerms } from './claims-needed-terms.ts'
import { deletesNamedMessages } from './deletes-named-messages.ts'
import { emptyListsHadNoContent } from './empty-lists-had-no-content.ts'
import { flavorsDidNotExist } from './flavors-did-not-exist.ts'
import { getAnswersNamedTheirPlace } from './get-answers-named-their-place.ts'
import { healthWasAPing } from './health-was-a-ping.ts'
import { messagesCameBare } from './messages-came-bare.ts'
import { metadataWasApart } from './metadata-was-apart.ts'
import { queuesHadToExist } from './queues-had-to-exist.ts'

export const v1 = older(
  v1_1,
  {
    prefix: '/v1',
    entry: { id: '1', status: 'DEPRECATED', updated: '2014-9-11T17:47:05Z' },
    home: v1Resources,
  },
  [
    flavorsDidNotExist,
    healthWasAPing,
    messagesCameBare,
    queuesHadToExist,
    metadataWasApart,
    claimsNeededTerms,
    deletesNamedMessages,
    getAnswersNamedTheirPlace,
    emptyListsHadNoContent,
    callersCouldSayLittle,
  ],
)
