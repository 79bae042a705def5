import { nameGroups } from '../../functions/account/handlers/name-groups.infra.ts';
import { signOut } from '../../functions/account/handlers/sign-out.infra.ts';
import { changeDrop } from '../../functions/admission/handlers/change-drop.infra.ts';
import { conductDrops } from '../../functions/admission/handlers/conduct-drops.infra.ts';
import { createDrop } from '../../functions/admission/handlers/create-drop.infra.ts';
import { getDrop } from '../../functions/admission/handlers/get-drop.infra.ts';
import { getTicket } from '../../functions/admission/handlers/get-ticket.infra.ts';
import { listDrops } from '../../functions/admission/handlers/list-drops.infra.ts';
import { showDrop } from '../../functions/admission/handlers/show-drop.infra.ts';
import { takeTicket } from '../../functions/admission/handlers/take-ticket.infra.ts';
import { admissionTable } from '../../functions/admission/table.infra.ts';
import { claimCart } from '../../functions/cart/handlers/claim-cart.infra.ts';
import { createCart } from '../../functions/cart/handlers/create-cart.infra.ts';
import { deleteCartLine } from '../../functions/cart/handlers/delete-cart-line.infra.ts';
import { getCart } from '../../functions/cart/handlers/get-cart.infra.ts';
import { putCartLine } from '../../functions/cart/handlers/put-cart-line.infra.ts';
import { cartTable } from '../../functions/cart/table.infra.ts';
import { changeProduct } from '../../functions/catalog/handlers/change-product.infra.ts';
import { createProduct } from '../../functions/catalog/handlers/create-product.infra.ts';
import { getProduct } from '../../functions/catalog/handlers/get-product.infra.ts';
import { importProducts } from '../../functions/catalog/handlers/import-products.infra.ts';
import { listCategories } from '../../functions/catalog/handlers/list-categories.infra.ts';
import { listProducts } from '../../functions/catalog/handlers/list-products.infra.ts';
import { catalogTable } from '../../functions/catalog/table.infra.ts';
import { checkExport } from '../../functions/finance/handlers/check-export.infra.ts';
import { exportJournal } from '../../functions/finance/handlers/export-journal.infra.ts';
import { exportManifest } from '../../functions/finance/handlers/export-manifest.infra.ts';
import { fetchSettlement } from '../../functions/finance/handlers/fetch-settlement.infra.ts';
import { getExport } from '../../functions/finance/handlers/get-export.infra.ts';
import { journal } from '../../functions/finance/handlers/journal.infra.ts';
import { listExports } from '../../functions/finance/handlers/list-exports.infra.ts';
import { matchSettlement } from '../../functions/finance/handlers/match-settlement.infra.ts';
import { planExport } from '../../functions/finance/handlers/plan-export.infra.ts';
import { postSettlement } from '../../functions/finance/handlers/post-settlement.infra.ts';
import { financeTable } from '../../functions/finance/table.infra.ts';
import { getHealth } from '../../functions/health/handlers/get-health.infra.ts';
import { getOpenApi } from '../../functions/health/handlers/get-open-api.infra.ts';
import { notFound } from '../../functions/health/handlers/not-found.infra.ts';
import { getStock } from '../../functions/inventory/handlers/get-stock.infra.ts';
import { growShards } from '../../functions/inventory/handlers/grow-shards.infra.ts';
import { importStock } from '../../functions/inventory/handlers/import-stock.infra.ts';
import { setShards } from '../../functions/inventory/handlers/set-shards.infra.ts';
import { setStock } from '../../functions/inventory/handlers/set-stock.infra.ts';
import { inventoryTable } from '../../functions/inventory/table.infra.ts';
import { measurePressure } from '../../functions/limits/handlers/measure-pressure.infra.ts';
import { limitsTable } from '../../functions/limits/table.infra.ts';
import { sendMail } from '../../functions/notification/handlers/send-mail.infra.ts';
import { notificationTable } from '../../functions/notification/table.infra.ts';
import { operationsTable } from '../../functions/operations/table.infra.ts';
import { auditEvents } from '../../functions/order/handlers/audit-events.infra.ts';
import { cancelOrder } from '../../functions/order/handlers/cancel-order.infra.ts';
import { deliverOrder } from '../../functions/order/handlers/deliver-order.infra.ts';
import { forgetAddresses } from '../../functions/order/handlers/forget-addresses.infra.ts';
import { fulfilOrder } from '../../functions/order/handlers/fulfil-order.infra.ts';
import { getOrder } from '../../functions/order/handlers/get-order.infra.ts';
import { listOrderEvents } from '../../functions/order/handlers/list-order-events.infra.ts';
import { listOrders } from '../../functions/order/handlers/list-orders.infra.ts';
import { payOrder } from '../../functions/order/handlers/pay-order.infra.ts';
import { placeOrder } from '../../functions/order/handlers/place-order.infra.ts';
import { receiveWebhook } from '../../functions/order/handlers/receive-webhook.infra.ts';
import { reconcileStock } from '../../functions/order/handlers/reconcile-stock.infra.ts';
import { recordOutcome } from '../../functions/order/handlers/record-outcome.infra.ts';
import { refundOrder } from '../../functions/order/handlers/refund-order.infra.ts';
import { runCheckout } from '../../functions/order/handlers/run-checkout.infra.ts';
import { sweepDue } from '../../functions/order/handlers/sweep-due.infra.ts';
import { orderTable } from '../../functions/order/table.infra.ts';
import { callProvider } from '../../functions/payment/handlers/call-provider.infra.ts';
import { followOrder } from '../../functions/reporting/handlers/follow-order.infra.ts';
import { getAdminOrder } from '../../functions/reporting/handlers/get-admin-order.infra.ts';
import { listAdminOrders } from '../../functions/reporting/handlers/list-admin-orders.infra.ts';
import { reportingTable } from '../../functions/reporting/table.infra.ts';
import { deliverWebhook } from '../../functions/sandbox/handlers/deliver-webhook.infra.ts';
import { rotateKeys } from '../../functions/sandbox/handlers/rotate-keys.infra.ts';
import { sandbox } from '../../functions/sandbox/handlers/sandbox.infra.ts';
import { sandboxTable } from '../../functions/sandbox/table.infra.ts';
import type { FunctionSpec, TableSpec } from '../constructs/function-spec.ts';

/** Every table of the store. */
export const tables: readonly TableSpec[] = [
  catalogTable,
  inventoryTable,
  cartTable,
  orderTable,
  sandboxTable,
  notificationTable,
  financeTable,
  reportingTable,
  limitsTable,
  operationsTable,
  admissionTable,
];

/** Every function of the store. What is not named here is not deployed, and a test says so. */
export const functions: readonly FunctionSpec[] = [
  // health
  getHealth,
  getOpenApi,
  notFound,
  // account
  nameGroups,
  signOut,
  // catalog
  changeProduct,
  createProduct,
  getProduct,
  importProducts,
  listCategories,
  listProducts,
  // inventory
  getStock,
  growShards,
  importStock,
  setShards,
  setStock,
  // admission
  changeDrop,
  conductDrops,
  createDrop,
  getDrop,
  getTicket,
  listDrops,
  showDrop,
  takeTicket,
  // cart
  claimCart,
  createCart,
  deleteCartLine,
  getCart,
  putCartLine,
  // order
  auditEvents,
  cancelOrder,
  deliverOrder,
  forgetAddresses,
  fulfilOrder,
  getOrder,
  listOrderEvents,
  listOrders,
  payOrder,
  placeOrder,
  receiveWebhook,
  reconcileStock,
  recordOutcome,
  refundOrder,
  runCheckout,
  sweepDue,
  // payment
  callProvider,
  // sandbox
  deliverWebhook,
  rotateKeys,
  sandbox,
  // notification
  sendMail,
  // finance
  checkExport,
  exportJournal,
  exportManifest,
  fetchSettlement,
  getExport,
  journal,
  listExports,
  matchSettlement,
  planExport,
  postSettlement,
  // reporting
  followOrder,
  getAdminOrder,
  listAdminOrders,
  // limits
  measurePressure,
];
