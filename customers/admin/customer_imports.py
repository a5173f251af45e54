"""Importing customers: offers the kind on the page of imports."""

from config.platform.admin import imports
from customers.services import customer_imports

imports.offer(customer_imports.KIND)
