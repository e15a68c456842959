// Prints traces of Zaqar: `node --import ./examples/tracing/console.js packages/server/bin/zaqar.js serve`, after
// `npm install @opentelemetry/sdk-trace-node`. Put the exporter of your collector in the place of `ConsoleSpanExporter`,
// and `BatchSpanProcessor` in that of `SimpleSpanProcessor`.
import { ConsoleSpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'

const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())] })
provider.register()
