"""Importing plans and prices: offers both kinds on the page of imports."""

from catalog.services import plan_imports, price_imports
from config.platform.admin import imports

imports.offer(plan_imports.KIND)
imports.offer(price_imports.KIND)
