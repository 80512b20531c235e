"""The monthly payment and the interest of a loan: plan.py AMOUNT RATE YEARS, the rate in percent a year."""

import sys
from decimal import Decimal


def main() -> None:
    amount, rate, years = map(Decimal, sys.argv[1:])
    monthly, months = rate / 1200, int(years * 12)
    payment = amount / months if not monthly else amount * monthly / (1 - (1 + monthly) ** -months)
    print(f"payment a month: {payment:.2f}")
    print(f"interest in all: {payment * months - amount:.2f}")


main()
