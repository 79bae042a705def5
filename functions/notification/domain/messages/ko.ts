import type { Messages } from './messages.ts';

export const ko: Messages = {
  locale: 'ko',
  orderConfirmation: {
    subject: (number) => `주문 ${number} 결제가 완료되었습니다`,
    heading: '주문해 주셔서 감사합니다',
    body: '결제가 확인되어 상품을 준비하고 있습니다.',
    refundable:
      '발송 전까지는 주문을 취소할 수 있으며, 그 이후에는 환불을 요청할 수 있습니다. 환불 금액은 결제하신 카드로 돌려드립니다.',
  },
  paymentDeclined: {
    subject: (number) => `주문 ${number} 결제가 완료되지 않았습니다`,
    heading: '결제가 완료되지 않았습니다',
    retry: (until) =>
      `${until}까지 상품을 보관해 드립니다. 그때까지 같은 카드나 다른 카드로 다시 결제할 수 있습니다.`,
    notCharged: '청구된 금액은 없습니다.',
    reasons: {
      declined: '카드사에서 결제를 승인하지 않았습니다. 자세한 사유는 카드사에 문의해 주세요.',
      'insufficient-funds': '카드의 잔액 또는 한도가 부족합니다.',
      'expired-card': '유효 기간이 지난 카드입니다.',
      'authentication-failed': '카드사에서 본인 인증을 확인하지 못했습니다.',
      'amount-mismatch': '승인된 금액이 주문 금액과 다릅니다.',
      'not-received': '결제 요청이 결제 대행사에 도달하지 못했습니다.',
      voided: '결제가 확정되기 전에 승인이 취소되었습니다.',
      unknown: '결제를 완료할 수 없었습니다.',
    },
  },
  orderExpired: {
    subject: (number) => `주문 ${number} 결제 기한이 지났습니다`,
    heading: '결제 기한이 지나 주문이 만료되었습니다',
    body: '기한 안에 결제가 확인되지 않아 상품을 더 이상 보관하지 않습니다. 청구된 금액은 없습니다.',
    again: '상품이 계속 필요하시면 새로 주문해 주세요.',
  },
  orderCancelled: {
    subject: (number) => `주문 ${number} 취소 안내`,
    heading: '주문이 취소되었습니다',
    reasons: {
      shopper: '요청하신 대로 주문을 취소했습니다.',
      operator: '부득이하게 주문을 취소했습니다. 불편을 드려 죄송합니다.',
      unpaid: '결제가 이루어지지 않아 주문이 취소되었습니다.',
    },
    money: '이미 결제하셨다면 카드로 환불해 드리고 이메일로 알려 드립니다.',
  },
  refund: {
    subject: (number) => `주문 ${number} 환불 안내`,
    heading: '환불이 처리되었습니다',
    body: (amount) => `결제하신 카드로 ${amount} 환불을 처리했습니다.`,
    arrival: '카드사에 따라 확인까지 영업일 기준 며칠이 걸릴 수 있습니다.',
  },
  orderNumber: '주문 번호',
  date: '일시',
  subtotal: '상품 금액',
  discount: '할인',
  shipping: '배송비',
  taxIncluded: '포함된 세금',
  taxAdded: '세금',
  total: '합계',
  refunded: '환불 금액',
  refundedSoFar: '누적 환불 금액',
  quantity: (count) => `${count}개`,
  signature: 'Floodgate',
};
