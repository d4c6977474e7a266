import { entitlement } from "./entitlement/mutants.js"
import { submission } from "./internal/submission/mutants.js"
import { ledger } from "./ledger/mutants.js"
import { lifecycle } from "./lifecycle/mutants.js"

export const suites = [submission, ledger, entitlement, lifecycle]
