"""The code of a pricing unit is unique by a constraint that has a name, so that a refusal can tell what is taken."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0005_prices")]
    operations = [
        migrations.AlterField(model_name="pricingunit", name="code", field=models.CharField(max_length=255)),
        migrations.AddConstraint(
            model_name="pricingunit",
            constraint=models.UniqueConstraint(fields=("code",), name="catalog_pricing_unit_code"),
        ),
    ]
