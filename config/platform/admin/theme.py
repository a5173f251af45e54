"""The admin theme's classes. The one place that imports the theme: a change of theme is a change of this file.

Owns nothing of its own; pages, verbs and lists are built on these names.
"""

from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
    MultipleChoicesDropdownFilter,
    RangeDateFilter,
    RangeNumericFilter,
    RelatedDropdownFilter,
    TextFilter,
)
from unfold.dataclasses import SearchResult
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.views import ChangeList
from unfold.widgets import (
    UnfoldAdminAutocompleteModelChoiceFieldWidget,
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminColorInputWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
    UnfoldBooleanSwitchWidget,
)

AutocompleteWidget = UnfoldAdminAutocompleteModelChoiceFieldWidget
CheckboxesWidget = UnfoldAdminCheckboxSelectMultipleWidget
ColorWidget = UnfoldAdminColorInputWidget
DateWidget = UnfoldAdminSingleDateWidget
DecimalWidget = UnfoldAdminDecimalFieldWidget
EmailWidget = UnfoldAdminEmailInputWidget
IntegerWidget = UnfoldAdminIntegerFieldWidget
SelectMultipleWidget = UnfoldAdminSelectMultipleWidget
SelectWidget = UnfoldAdminSelectWidget
SwitchWidget = UnfoldBooleanSwitchWidget
TextareaWidget = UnfoldAdminTextareaWidget
TextWidget = UnfoldAdminTextInputWidget
UrlWidget = UnfoldAdminURLInputWidget

__all__ = [
    "ActionVariant",
    "AdminPasswordChangeForm",
    "AutocompleteSelectFilter",
    "AutocompleteWidget",
    "BooleanRadioFilter",
    "ChangeList",
    "CheckboxesWidget",
    "ChoicesDropdownFilter",
    "ColorWidget",
    "DateWidget",
    "DecimalWidget",
    "DropdownFilter",
    "EmailWidget",
    "IntegerWidget",
    "ModelAdmin",
    "MultipleChoicesDropdownFilter",
    "RangeDateFilter",
    "RangeNumericFilter",
    "RelatedDropdownFilter",
    "SearchResult",
    "SelectMultipleWidget",
    "SelectWidget",
    "StackedInline",
    "SwitchWidget",
    "TabularInline",
    "TextFilter",
    "TextWidget",
    "TextareaWidget",
    "UrlWidget",
    "UserChangeForm",
    "UserCreationForm",
    "display",
]
