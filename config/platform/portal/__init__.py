"""The portal: pages that a customer opens by a link. What every page shares is here, the pages are the apps'."""
