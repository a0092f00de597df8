"""The checks of the exercises, a module a lesson; hanlp_tutor.teach.check asks for them."""
