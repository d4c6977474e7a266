/** The ids of products in events. */
import type { ProductDetails } from "../../Marketplace.js"
import type { Product } from "../scenario/models.js"
import { idText } from "./agreement.js"

export const productIdOf = ({ code, productId }: Product): string =>
  productId ?? `prod-${idText(13, "product", code)}`

export const productDetailsOf = (product: Product): ProductDetails => ({
  ...product,
  productId: productIdOf(product)
})
