import { holdAgainst, documentsIn } from './rubric.ts'

holdAgainst(documentsIn('synthetic'))
