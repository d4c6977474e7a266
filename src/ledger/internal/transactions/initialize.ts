/** Creates the ledger's row, or checks that it matches the options, and stores the products. */
import * as Effect from "effect/Effect"
import { LedgerConfigError, type LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import type { Options, Product } from "../contract.js"
import { maxScale } from "../model/decimal.js"
import type { LedgerRow, ProductRow } from "../model/rows.js"
import { keysViolation } from "../model/tags.js"
import { isText } from "../recording/prepareEvent.js"
import type { Tables } from "../tables.js"

/** The schema version that a new ledger is created with. */
const version = 2

/** The oldest schema version whose code can write to a ledger of this version. */
const writableFrom = 2

/** Initializes a ledger. Repeating the same call changes nothing. */
export const initialize = (
  store: Store,
  { products = {}, seller, target }: Pick<Options, "seller" | "target" | "products">,
  incarnation: string
): Effect.Effect<void, LedgerConfigError | LedgerUnavailable> =>
  store.transaction((tables) =>
    Effect.gen(function* () {
      // processes that start at the same time run this one after another
      yield* tables.lock("initialize")
      const row = yield* tables.ledger
      if (row === undefined) {
        yield* tables.putLedger({
          version,
          writableFrom,
          seller,
          target,
          incarnation,
          tick: 0,
          holdFrom: undefined,
          heldUntil: undefined,
          recoveredAt: undefined
        })
      } else {
        const error = mismatch(row, seller, target, store.description.location)
        if (error !== undefined) return yield* error
      }
      for (const [name, product] of Object.entries(products)) {
        yield* putProduct(tables, name, product)
      }
    })
  )

const mismatch = (
  row: LedgerRow,
  seller: string,
  target: string,
  location: string
): LedgerConfigError | undefined =>
  row.writableFrom > version
    ? new LedgerConfigError({
        reason: "newerSchema",
        detail: `The ledger ${location} was written by a newer version of this package`,
        cure: "Update effect-marketplace-metering."
      })
    : row.seller !== seller
      ? new LedgerConfigError({
          reason: "otherSeller",
          detail: `The ledger ${location} is of the seller ${row.seller}, not of ${seller}`,
          cure: "Use a database of its own for each seller."
        })
      : row.target !== target
        ? new LedgerConfigError({
            reason: "otherTarget",
            detail: `The ledger ${location} is for the ${row.target}, not for the ${target}`,
            cure: "Use a database of its own for the sandbox; a target never changes."
          })
        : undefined

const conflict = (product: string, detail: string, cure: string) =>
  new LedgerConfigError({
    reason: "productConflict",
    detail: `The product ${product} ${detail}`,
    cure
  })

const invalid = (product: string, detail: string, cure: string) =>
  new LedgerConfigError({
    reason: "invalidOptions",
    detail: `The product ${product} ${detail}`,
    cure
  })

const putProduct = (tables: Tables, name: string, product: Product) =>
  Effect.gen(function* () {
    yield* lockProduct(tables, name)
    const products = yield* tables.products
    const stored = products.find((row) => row.product === name)
    const row: ProductRow = {
      product: name,
      region: product.region,
      productCode: product.productCode,
      late: product.late ?? "reject",
      dimensions: {
        ...stored?.dimensions,
        ...Object.fromEntries(
          Object.entries(product.dimensions).map(([dimension, { scale = 0, zeroFill = false }]) => [
            dimension,
            { scale, zeroFill }
          ])
        )
      },
      tagKeys: product.tagKeys ?? []
    }
    const error = violation(row) ?? (stored && change(stored, row)) ?? sameCode(products, row)
    if (error !== undefined) return yield* error
    if (JSON.stringify(stored) === JSON.stringify(row)) return
    yield* tables.putProduct(row)
    const added = Object.keys(row.dimensions).filter((name) => !stored?.dimensions[name])
    if (stored === undefined || added.length === 0) return
    const lineages = new Set(
      (yield* tables.subscriptions({ region: row.region }))
        .filter((subscription) => subscription.product === name)
        .map(({ lineage }) => lineage)
    )
    yield* tables.addKeys([...lineages].flatMap((lineage) => keysOf(row, lineage, added)))
  })

/** Serializes changes of a product with the addition of subscriptions to it. */
export const lockProduct = (tables: Tables, product: string) =>
  isText(product) ? tables.lock(`product/${product}`) : Effect.void

/** Returns the keys of a lineage, one per dimension. */
export const keysOf = (
  { dimensions, product, region }: ProductRow,
  lineage: string,
  names: ReadonlyArray<string> = Object.keys(dimensions)
) =>
  names.map((dimension) => ({
    lineage,
    dimension,
    scale: dimensions[dimension]?.scale ?? 0,
    region,
    product
  }))

const violation = ({ dimensions, product, productCode, region, tagKeys }: ProductRow) => {
  const names = Object.keys(dimensions)
  const tags = keysViolation(tagKeys)
  if (product === "*" || !isText(product)) {
    return invalid(
      product,
      "has an impossible name",
      "Give 1 to 255 characters, without NUL and halves of surrogate pairs, and not *."
    )
  }
  if (!isText(region))
    return invalid(product, "has no valid region", "Name the Region, such as us-east-1.")
  if (productCode !== undefined && !isText(productCode)) {
    return invalid(product, "has an impossible productCode", "Give the code of the listing.")
  }
  if (names.length === 0) return invalid(product, "has no dimensions", "Name those of the listing.")
  if (tags !== undefined) return invalid(product, "has invalid tagKeys", `Give ${tags}.`)
  if (!names.every(isText)) {
    return invalid(
      product,
      "has a dimension with an invalid name",
      "Give 1 to 255 characters, without NUL and halves of surrogate pairs."
    )
  }
  const scaled = names.find((name) => {
    const scale = dimensions[name]?.scale
    return scale === undefined || !Number.isInteger(scale) || scale < 0 || scale > maxScale
  })
  return scaled === undefined
    ? undefined
    : invalid(
        product,
        `has an invalid scale of ${scaled}`,
        `Give a whole number from 0 to ${maxScale}.`
      )
}

/** Finds a product with the same code. The service keeps one record per code, customer, dimension and hour, so usage would be lost. */
const sameCode = (
  products: ReadonlyArray<ProductRow>,
  { product, productCode, region }: ProductRow
) => {
  const other = products.find(
    (one) => one.product !== product && one.region === region && one.productCode === productCode
  )
  return productCode === undefined || other === undefined
    ? undefined
    : conflict(
        product,
        `has the code ${productCode} of ${other.product} in ${region}`,
        `Report its usage as ${other.product}: a product has one name.`
      )
}

/** Finds a change of a field that stored events and records depend on, so that it cannot change. */
const change = (stored: ProductRow, row: ProductRow) => {
  const { product } = row
  const scaled = Object.keys(stored.dimensions).find(
    (name) => stored.dimensions[name]?.scale !== row.dimensions[name]?.scale
  )
  return stored.region !== row.region
    ? conflict(
        product,
        `is stored for ${stored.region}, not for ${row.region}`,
        "Name it differently in another Region."
      )
    : scaled !== undefined
      ? conflict(
          product,
          `has ${scaled} stored with a scale of ${stored.dimensions[scaled]?.scale}`,
          "A scale cannot change: keep it."
        )
      : stored.productCode !== undefined && stored.productCode !== row.productCode
        ? conflict(
            product,
            `is stored with the code ${stored.productCode}`,
            "Name another product differently."
          )
        : undefined
}
