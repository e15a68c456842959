import { runConformance } from '../src/index.ts'
import { modelHarness } from '../src/model/model-harness.ts'

runConformance('model', modelHarness, { sequences: 100 })
